/** Which of the sample worlds the page asked for, kept for the life of the tab. */
const KEY = 'countersign-mock'

/** Reads `?mock=...` in front of the `#`; it goes from the address afterwards. */
export function keepMockSize(search: string): void {
  const asked = new URLSearchParams(search).get('mock')
  if (asked) sessionStorage.setItem(KEY, asked)
}

export const mockSize = () => sessionStorage.getItem(KEY)

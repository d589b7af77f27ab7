import { characters } from './format'

export const LONGEST_REASON = 500

/** What is wrong with the reason for a withdrawal; nothing when it is right. */
export function reasonProblem(text: string): string | undefined {
  if (text.trim() === '') return 'A reason is missing: it stays on record'
  return characters(text.trim()) > LONGEST_REASON ? `At most ${LONGEST_REASON} characters` : undefined
}

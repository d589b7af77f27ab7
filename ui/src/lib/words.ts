/** What changed between two texts, word by word. */

export type Part = { text: string; change: 'same' | 'new' | 'gone' }

/** Beyond this many words, texts are compared as wholes. */
const MOST = 1_500

const words = (text: string) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? []

/** The parts of the newer text in order, with those that are gone where they were. */
export function changedWords(before: string, after: string): Part[] {
  const [old, now] = [words(before), words(after)]
  if (old.length > MOST || now.length > MOST) return [{ text: before, change: 'gone' }, { text: after, change: 'new' }]
  let start = 0
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1
  let end = 0
  while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1
  const [a, b] = [old.slice(start, old.length - end), now.slice(start, now.length - end)]
  // How long the longest common run of words is from each pair of places on.
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  const at = (i: number, j: number) => table[i]?.[j] ?? 0
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = table[i]
    for (let j = b.length - 1; row && j >= 0; j -= 1) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  }
  const parts: Part[] = []
  const put = (text: string | undefined, change: Part['change']) => {
    const last = parts.at(-1)
    if (!text) return
    if (last?.change === change) last.text += text
    else parts.push({ text, change })
  }
  put(old.slice(0, start).join(''), 'same')
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      put(a[i], 'same')
      i += 1
      j += 1
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1))) {
      put(a[i], 'gone')
      i += 1
    } else {
      put(b[j], 'new')
      j += 1
    }
  }
  put(old.slice(old.length - end).join(''), 'same')
  return parts
}

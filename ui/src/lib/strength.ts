/** How hard a passphrase is to guess, roughly: enough to steer a person, no proof of anything. */
export type Strength = { bits: number; level: 0 | 1 | 2 | 3; word: string; advice: string | null }

export const SHORTEST = 12
const COMMON = ['password', 'passphrase', 'countersign', 'qwerty', 'letmein', 'admin', '12345', 'abcdef', 'secret']

const alphabet = (text: string) =>
  (/[a-z]/.test(text) ? 26 : 0) + (/[A-Z]/.test(text) ? 26 : 0) + (/\d/.test(text) ? 10 : 0) +
  (/[^a-zA-Z\d]/.test(text) ? 20 : 0)

export function strength(text: string): Strength {
  const characters = [...text]
  const lower = text.toLowerCase()
  const known = COMMON.filter((word) => lower.includes(word)).reduce((sum, word) => sum + word.length - 1, 0)
  // A character that repeats or continues the one before it adds nothing.
  const fresh = characters.filter((c, index) => {
    const step = (c.codePointAt(0) ?? 0) - (characters[index - 1]?.codePointAt(0) ?? -9)
    return step !== 0 && Math.abs(step) !== 1
  }).length
  const bits = Math.max(0, fresh - known) * Math.log2(Math.max(2, alphabet(text)))
  if (characters.length < SHORTEST) {
    return { bits, level: 0, word: 'Too short', advice: `At least ${SHORTEST} characters; four or five unrelated words are easy to keep.` }
  }
  if (bits < 45) return { bits, level: 1, word: 'Weak', advice: 'Easy to guess: add an unrelated word or two.' }
  return bits < 70
    ? { bits, level: 2, word: 'Good', advice: null }
    : { bits, level: 3, word: 'Strong', advice: null }
}

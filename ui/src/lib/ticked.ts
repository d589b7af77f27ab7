/** A part of a sentence: words, or a name or command that stood between backticks. */
export type Part = { text: string; code: boolean }

/** Takes a sentence of the core apart at its backticks. One without a partner is left standing. */
export function ticked(sentence: string): Part[] {
  const parts: Part[] = []
  const add = (text: string, code: boolean) => text === '' || parts.push({ text, code })
  let done = 0
  for (const found of sentence.matchAll(/`([^`]*)`/g)) {
    if (!found[1]) continue
    add(sentence.slice(done, found.index), false)
    add(found[1], true)
    done = found.index + found[0].length
  }
  add(sentence.slice(done), false)
  return parts
}

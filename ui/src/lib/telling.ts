import { mixedWords, pieces } from './deceptive'

/** What is more than this is hardly read to its end. */
const LONG = 4096

const ORDINARY = new Set([0x09, 0x0a, 0x0d])
// The text is a stranger's and may be very long: nothing here looks further ahead than a little.
const ADDRESS = /\b[a-z][a-z0-9+.-]{0,20}:\/\/|\b(?:javascript|data|mailto):|\bwww\.|[\w.+-]@[\w-]{1,64}\.\w/iu
const MARKUP = /<[a-z!/?][^<>]{0,200}>|\[[^[\]]{0,200}\]\(/iu
const COMMANDS = [
  /\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instruction|rule|previous|prior|above|polic|warning)/isu,
  /\b(?:do not|don['\u2019]t|never)\b.{0,30}\b(?:tell|mention|inform|ask|show|reveal|warn)\b/isu,
  /\b(?:before|after|instead of|whenever)\b.{0,30}\b(?:using|calling|running|you (?:use|call|run))\b/isu,
  /\byou (?:must|have to|should always|are now)\b/iu,
  /<\/?(?:important|system|instructions?)>/iu,
  /(?:^|[^\w])(?:IMPORTANT|SYSTEM|ATTENTION|CRITICAL)\b\s*[:!]/u,
]

/**
 * What a person ought to look at twice in a text that a server wrote of itself. It finds what is
 * common and proves nothing: a text without any of it may lie all the same.
 */
export function telling(text: string): string[] {
  const hidden = pieces(text).filter((piece) => piece.kind === 'mark' && !ORDINARY.has(piece.codePoint)).length
  const found: string[] = []
  if (hidden > 0) found.push(hidden === 1 ? 'has 1 character that is not seen' : `has ${hidden} characters that are not seen`)
  if (mixedWords(text).length > 0) found.push('mixes alphabets that look alike')
  if (COMMANDS.some((one) => one.test(text))) found.push('tells the agent what to do')
  if (ADDRESS.test(text)) found.push('names an address')
  if (MARKUP.test(text)) found.push('has markup in it')
  if (new TextEncoder().encode(text).length > LONG) found.push('is very long')
  return found
}

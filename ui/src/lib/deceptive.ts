/**
 * Characters that can hide, reorder or forge text. The same list as `is_deceptive` of cs-model:
 * controls, bidirectional controls, zero-width and other default-ignorable characters, line
 * separators, tags, and blanks that pass for a space or for nothing.
 */
const RANGES: readonly (readonly [number, number])[] = [
  [0x00, 0x1f], [0x7f, 0xa0], [0xad, 0xad], [0x34f, 0x34f], [0x61c, 0x61c], [0x115f, 0x1160],
  [0x1680, 0x1680], [0x17b4, 0x17b5], [0x180b, 0x180f], [0x2000, 0x200f], [0x2028, 0x202f],
  [0x205f, 0x206f], [0x2800, 0x2800], [0x3000, 0x3000], [0x3164, 0x3164], [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff], [0xffa0, 0xffa0], [0xfff0, 0xfffb], [0x1bca0, 0x1bca3], [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
]
// A lone surrogate is no character at all; more than this many combining marks on one letter
// draw over the lines around it.
const SURROGATES = [0xd800, 0xdfff] as const
const MOST_MARKS = 2
const MARK = /\p{M}/u

export function isDeceptive(codePoint: number): boolean {
  if (codePoint >= SURROGATES[0] && codePoint <= SURROGATES[1]) return true
  return RANGES.some(([from, to]) => codePoint >= from && codePoint <= to)
}

export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'mark'; codePoint: number; name: string; breaks: boolean }

/** Splits foreign text into what can be shown as it is and what must be written out. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let plain = ''
  let marks = 0
  const flush = () => {
    if (plain) found.push({ kind: 'text', text: plain })
    plain = ''
  }
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0
    marks = codePoint > 0x2ff && MARK.test(character) ? marks + 1 : 0
    if (isDeceptive(codePoint) || marks > MOST_MARKS) {
      flush()
      found.push({ kind: 'mark', codePoint, name: nameOf(codePoint), breaks: codePoint === 0x0a })
    } else {
      plain += character
    }
  }
  flush()
  return found
}

/** `U+202E`, with at least four digits. */
export const codePointText = (codePoint: number) =>
  `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`

const NAMES: Record<number, string> = {
  0x09: 'tab', 0x0a: 'line break', 0x0d: 'carriage return', 0x00: 'null', 0x1b: 'escape',
  0xad: 'soft hyphen', 0x200b: 'zero-width space', 0x200c: 'zero-width non-joiner',
  0x200d: 'zero-width joiner', 0x200e: 'left-to-right mark', 0x200f: 'right-to-left mark',
  0x2028: 'line separator', 0x2029: 'paragraph separator', 0x202a: 'left-to-right embedding',
  0x202b: 'right-to-left embedding', 0x202c: 'end of embedding', 0x202d: 'left-to-right override',
  0x202e: 'right-to-left override', 0x2060: 'word joiner', 0x2066: 'left-to-right isolate',
  0x2067: 'right-to-left isolate', 0x2068: 'first strong isolate', 0x2069: 'end of isolate',
  0xfeff: 'byte order mark',
  0xa0: 'no-break space', 0x1680: 'Ogham space mark', 0x2000: 'en quad', 0x2001: 'em quad',
  0x2002: 'en space', 0x2003: 'em space', 0x2004: 'three-per-em space', 0x2005: 'four-per-em space',
  0x2006: 'six-per-em space', 0x2007: 'figure space', 0x2008: 'punctuation space',
  0x2009: 'thin space', 0x200a: 'hair space', 0x202f: 'narrow no-break space',
  0x205f: 'medium mathematical space', 0x2800: 'blank Braille pattern', 0x3000: 'ideographic space',
}

function nameOf(codePoint: number): string {
  const known = NAMES[codePoint]
  if (known) return known
  if (codePoint >= 0xe0000) return 'invisible tag'
  if (codePoint >= 0xfe00 && codePoint <= 0xfe0f) return 'variation selector'
  if (codePoint >= 0x1bca0 && codePoint <= 0x1bca3) return 'shorthand format control'
  if (codePoint >= 0x1d173 && codePoint <= 0x1d17a) return 'musical format control'
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return 'half of a character'
  if (codePoint < 0x20 || (codePoint >= 0x7f && codePoint <= 0x9f)) return 'control character'
  return codePoint >= 0x300 && MARK.test(String.fromCodePoint(codePoint))
    ? 'stacked accent'
    : 'invisible character'
}

const LATIN = /\p{Script=Latin}/u
const LOOK_ALIKE = /\p{Script=Cyrillic}|\p{Script=Greek}|\p{Script=Armenian}|\p{Script=Cherokee}/u

/** Words that mix Latin letters with letters of scripts that look like them. */
export function mixedWords(text: string): string[] {
  if (!LOOK_ALIKE.test(text)) return []
  return [...text.matchAll(/[\p{L}\p{M}\p{N}.@_-]+/gu)]
    .map(([word]) => word)
    .filter((word) => LATIN.test(word) && LOOK_ALIKE.test(word))
}

/** A word with every letter that is not ASCII written out: `p{U+0430}ypal.com`. */
export const spelledOut = (word: string) =>
  [...word]
    .map((c) => ((c.codePointAt(0) ?? 0) < 0x7f ? c : `{${codePointText(c.codePointAt(0) ?? 0)}}`))
    .join('')

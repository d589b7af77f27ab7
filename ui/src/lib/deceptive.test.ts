import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isDeceptive, mixedWords, pieces, spelledOut } from './deceptive'

test('the list of deceptive characters is the one of the core', () => {
  const source = readFileSync('../src-tauri/crates/cs-model/src/text.rs', 'utf8')
  const body = source.slice(source.indexOf('matches!(c,'), source.indexOf('\n}', source.indexOf('matches!(c,')))
  const ranges = [...body.matchAll(/'\\u\{([0-9a-f]+)\}'(?:\.\.='\\u\{([0-9a-f]+)\}')?/g)].map(
    ([, from, to]) => [Number.parseInt(from ?? '', 16), Number.parseInt(to ?? from ?? '', 16)] as const,
  )
  expect(ranges.length).toBeGreaterThan(15)
  const theirs = (codePoint: number) => ranges.some(([from, to]) => codePoint >= from && codePoint <= to)
  const differs: number[] = []
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint += 1) {
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue
    if (isDeceptive(codePoint) !== theirs(codePoint)) differs.push(codePoint)
  }
  expect(differs.slice(0, 9)).toEqual([])
})

test('u01 u02 what could deceive becomes a mark, and nothing else does', () => {
  const marks = (text: string) => pieces(text).flatMap((piece) => (piece.kind === 'mark' ? [piece.codePoint] : []))
  expect(marks('invoice_\u202efdp.exe')).toEqual([0x202e])
  expect(marks('a\u200bb\u2066c\u2069\u00ad\ufeff')).toEqual([0x200b, 0x2066, 0x2069, 0xad, 0xfeff])
  expect(marks('\u{e0041}\ufe0f\u2028\n\t\u0000')).toEqual([0xe0041, 0xfe0f, 0x2028, 0x0a, 0x09, 0])
  expect(marks('\ud800x')).toEqual([0xd800])
  expect(marks('Grüße, 世界, e\u0301')).toEqual([])
})

test('u02 whatever is drawn as nothing or as a space that it is not is written out, and has a name', () => {
  const shown: string[] = []
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint += 1) {
    const character = String.fromCodePoint(codePoint)
    if (codePoint === 0x20 || !/\p{Default_Ignorable_Code_Point}|\p{Zs}/u.test(character)) continue
    const [piece, ...more] = pieces(character)
    if (piece?.kind !== 'mark' || piece.codePoint !== codePoint || more.length > 0) shown.push(codePoint.toString(16))
  }
  expect(shown).toEqual([])
  const names = (text: string) => pieces(text).map((piece) => (piece.kind === 'mark' ? piece.name : piece.text))
  expect(names('\u00a0\u2009\u2800\u3000')).toEqual(['no-break space', 'thin space', 'blank Braille pattern', 'ideographic space'])
  expect(names('\u{1bca0}\u{1d17a} ')).toEqual(['shorthand format control', 'musical format control', ' '])
})

test('u02 accents that pile up are written out from the third on', () => {
  const found = pieces(`Z${'\u0301'.repeat(6)}!`)
  expect(found.filter((piece) => piece.kind === 'mark')).toHaveLength(4)
})

test('nothing of the text is lost in pieces', () => {
  const text = 'a\u202eb\nc\u{e0041}d'
  expect(pieces(text).map((piece) => (piece.kind === 'text' ? piece.text : String.fromCodePoint(piece.codePoint))).join('')).toBe(text)
})

test('u03 a word of alphabets that look alike is named, an honest one is not', () => {
  expect(mixedWords('send to billing@p\u0430ypal.com now')).toEqual(['billing@p\u0430ypal.com'])
  expect(mixedWords('Привет world, Grüße')).toEqual([])
  expect(spelledOut('p\u0430y')).toBe('p{U+0430}y')
})

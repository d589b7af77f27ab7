import { expect, test } from 'vitest'
import { ticked } from './ticked'

const said = (sentence: string) => ticked(sentence).map(({ text, code }) => (code ? `<${text}>` : text))

test('what stands between backticks is code, and nothing else is', () => {
  expect(said('Let its agent connect with `countersign connect`, or not.')).toEqual(['Let its agent connect with ', '<countersign connect>', ', or not.'])
  expect(said('`a` and `b`')).toEqual(['<a>', ' and ', '<b>'])
  expect(said('No name')).toEqual(['No name'])
  expect(said('')).toEqual([])
})

test('a backtick without a partner is left standing', () => {
  expect(said('`a` and ` alone')).toEqual(['<a>', ' and ` alone'])
  expect(said('Empty `` and `')).toEqual(['Empty `` and `'])
})

import { expect, test } from 'vitest'
import { difference, editable, lines, memberCount, unquote } from './json'

const text = (source: string) => lines(source)?.map((line) => line.tokens.map((token) => token.text).join(''))

test('numbers keep the text that they were written with', () => {
  expect(text('{"a":9007199254740993,"b":1.0,"c":-0,"d":1e400,"e":0.10}')).toEqual([
    '{', '"a": 9007199254740993,', '"b": 1.0,', '"c": -0,', '"d": 1e400,', '"e": 0.10', '}',
  ])
})

test('keys keep their order, and one that comes twice is shown twice', () => {
  expect(text('{"b":1,"a":2,"b":3}')).toEqual(['{', '"b": 1,', '"a": 2,', '"b": 3', '}'])
})

test('what is no JSON is not shown as JSON', () => {
  for (const source of ['', '{', '{"a":01}', '{"a":1,}', "{'a':1}", '{"a":"\n"}', '1 2', 'nul', '[1 2]', '{"a" 1}']) {
    expect(lines(source), source).toBeNull()
  }
})

test('a string says what it says', () => {
  expect(unquote('"a\\n\\u202e\\"\\\\"')).toBe('a\n\u202e"\\')
})

test('what differs from the last call is found value by value', () => {
  const found = difference('{"to":"a","cc":"x","n":[1,2]}', '{"to":"b","n":[1,2.0,3]}')
  expect([...(found?.changed ?? [])]).toEqual([['/to', '"a"'], ['/n/1', '2'], ['/n/2', null]])
  expect(found?.gone).toEqual([{ path: '/cc', was: '"x"' }])
})

test('1 and 1.0 differ: what is signed is the text', () => {
  expect(difference('{"n":1}', '{"n":1.0}')?.changed.get('/n')).toBe('1')
})

test('nesting beyond what the gateway takes is not drawn', () => {
  expect(lines('['.repeat(400) + ']'.repeat(400))).toBeNull()
})

test('members at the top are counted', () => {
  expect(memberCount('{"a":{"b":1},"c":[1,2]}')).toBe(2)
})

test('a text to be edited shows what could hide in it as an escape, and says the same', () => {
  const source = '{"to":"ann\u202e@example.com","list":[1.0,"\u{e0041}"]}'
  const shown = editable(source)
  expect(shown).toBe('{\n  "to": "ann\\u202e@example.com",\n  "list": [\n    1.0,\n    "\\udb40\\udc41"\n  ]\n}')
  expect(JSON.parse(shown)).toEqual(JSON.parse(source))
  expect(editable('no JSON\u200b')).toBe('no JSON\\u200b')
})

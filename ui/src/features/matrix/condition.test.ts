import { expect, test } from 'vitest'
import { laidOut, narrower, schemaProblem } from './condition'

test('others are granted less than the cell says', () => {
  expect(narrower('allow')).toEqual(['token', 'deny'])
  expect(narrower('token')).toEqual(['deny'])
  expect(narrower('deny')).toEqual([])
})

test('what cannot be a schema is said before it is sent', () => {
  expect(schemaProblem('{"type":"object"}')).toBeNull()
  for (const text of ['', '{', '[]', '7', 'null', '{}']) expect(schemaProblem(text), text).not.toBeNull()
})

test('a schema is laid out, and what is none is left alone', () => {
  expect(laidOut('{"a":1}')).toBe('{\n  "a": 1\n}')
  expect(laidOut('{')).toBe('{')
})

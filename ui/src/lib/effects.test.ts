import { expect, test } from 'vitest'
import { ableTo, suggested } from './effects'

test('marks are said in words', () => {
  expect(ableTo({ sends_out: false, destroys: false })).toBeUndefined()
  expect(ableTo({ sends_out: true, destroys: false })).toBe('can send data out')
  expect(ableTo({ sends_out: false, destroys: true })).toBe('can destroy')
  expect(ableTo({ sends_out: true, destroys: true })).toBe('can send data out, and can destroy')
})

test('what a server says of its tool only suggests a mark, and only one that is missing', () => {
  const claims = { read_only: false, destructive: true, open_world: true }
  expect(suggested({ claims, effects: { sends_out: false, destroys: false } })).toEqual(['can send data out', 'can destroy'])
  expect(suggested({ claims, effects: { sends_out: true, destroys: false } })).toEqual(['can destroy'])
  expect(suggested({ claims: { read_only: null, destructive: null, open_world: null }, effects: { sends_out: false, destroys: false } })).toEqual([])
})

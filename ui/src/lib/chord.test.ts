import { expect, test } from 'vitest'
import { Chord } from './chord'

test('a key follows only the first one, and only soon after it', () => {
  const chord = new Chord('g')
  expect(chord.follows('g', 5_000)).toBe(false)
  expect(chord.follows('t', 5_999)).toBe(true)
  expect(chord.follows('t', 6_000)).toBe(false)
  expect(chord.follows('g', 7_000)).toBe(false)
  expect(chord.follows('t', 8_000)).toBe(false)
})

test('in the first second of a window, when nothing came before, a key alone is no shortcut', () => {
  const chord = new Chord('g')
  expect(chord.follows('t', 0)).toBe(false)
  expect(chord.follows('a', 400)).toBe(false)
})

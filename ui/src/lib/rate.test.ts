import { expect, test } from 'vitest'
import { fieldsOf, rateText, readRate } from './rate'

test('a limit is said in the largest unit that fits, and read back as it was', () => {
  expect(rateText({ calls: 60, secs: 60 })).toBe('60 calls per minute')
  expect(rateText({ calls: 1, secs: 86_400 })).toBe('1 call per day')
  expect(rateText({ calls: 5_000, secs: 90 })).toBe('5,000 calls in 90 seconds')
  for (const rate of [{ calls: 1, secs: 1 }, { calls: 100_000, secs: 86_400 }, { calls: 7, secs: 5_400 }]) {
    expect(readRate(fieldsOf(rate))).toEqual(rate)
  }
  expect(readRate(fieldsOf(null))).toEqual({ calls: 60, secs: 60 })
})

test('what is no limit is refused with its rule', () => {
  const fields = { calls: '60', time: '1', unit: 'minute' as const }
  for (const calls of ['', '0', '100001', '1.5', '-1', 'x']) expect(readRate({ ...fields, calls })).toBe('Between 1 and 100,000 calls')
  for (const time of ['', '0', '1441', '1e1']) expect(readRate({ ...fields, time })).toBe('Between a second and a day')
})

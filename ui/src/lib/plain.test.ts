import { expect, test } from 'vitest'
import { intoHash, parseSearch, stringifySearch } from '@/app/address'
import type { Timestamp } from '@/ipc/generated'
import { bytes, duration, exactDuration, exactUtc, relative } from './format'
import { nameProblem } from './names'
import { strength } from './strength'

test('times are told in one unit, and exactly in UTC', () => {
  const now = Date.parse('2026-11-21T10:00:00.000Z')
  expect(relative('2026-11-21T09:48:00.000Z' as Timestamp, now)).toBe('12 min ago')
  expect(relative('2026-11-21T13:00:00.000Z' as Timestamp, now)).toBe('in 3 h')
  expect(relative('2026-11-21T10:00:01.000Z' as Timestamp, now)).toBe('just now')
  expect(exactUtc('2026-11-21T09:48:01.250Z' as Timestamp)).toBe('2026-11-21 09:48:01.250 UTC')
  expect([duration(59), duration(60), duration(86_400)]).toEqual(['59 s', '1 min', '1 d'])
  expect([exactDuration(5_400), exactDuration(0)]).toEqual(['1 h 30 min', '0 s'])
  expect([bytes(1), bytes(2_048)]).toEqual(['1 byte', '2.0 KiB'])
})

test('names are judged as the core judges them', () => {
  for (const right of ['acme', 'reader-1', 'night_shift', 'a']) expect(nameProblem(right), right).toBeUndefined()
  for (const wrong of ['', 'Acme', 'a__b', 'a b', '-a', 'a_', 'x'.repeat(64), '\u0430cme']) expect(nameProblem(wrong), wrong).toBeDefined()
})

test('a passphrase is weak when it is short, common or all alike', () => {
  expect(strength('short').level).toBe(0)
  expect(strength('aaaaaaaaaaaaaaaa').level).toBe(1)
  expect(strength('passphrase12345').level).toBe(1)
  expect(strength('lantern oyster gravel quilt').level).toBe(3)
})

test('an address keeps its values as text', () => {
  expect(parseSearch('?q=007&event=12')).toEqual({ q: '007', event: '12' })
  expect(stringifySearch({ q: 'a&b', gone: undefined })).toBe('?q=a%26b')
})

test('a window that was opened on a path finds its page behind the #', () => {
  const at = (pathname: string, search = '', hash = '') => intoHash({ pathname, search, hash })
  expect(at('/decide', '?tenant=tnt_1&approval=apr_2')).toBe('/#/decide?tenant=tnt_1&approval=apr_2')
  expect(at('/index.html')).toBeNull()
  expect(at('/', '', '#/t/acme/matrix')).toBeNull()
})

import { expect, test } from 'vitest'
import { linesOf } from './lines'
import { networkOf, networkProblem } from './networks'
import { LONGEST_REASON, reasonProblem } from './reason'
import { scopeProblem } from './scopes'

test('a field with one value a line gives each value once', () => {
  expect(linesOf(' a \n\nb\r\na\n')).toEqual(['a', 'b'])
  expect(linesOf('')).toEqual([])
})

test('networks are judged as the core judges them, and an address alone is a network of one', () => {
  for (const right of ['10.0.0.0/8', '192.0.2.7/32', '0.0.0.0/0', '2001:db8::/32', '::/0']) expect(networkOf(right), right).toBe(right)
  expect([networkOf('192.0.2.7'), networkOf('::1')]).toEqual(['192.0.2.7/32', '::1/128'])
  for (const wrong of ['', '10.0.0.0/33', '10.0.0/8', '10.0.0.256/8', '010.0.0.0/8', '10.0.0.0/08', '10.0.0.0/8/8', '10.0.0.0/', '::/129', 'fe80::1%eth0/64', 'example.com', '1:2/64']) {
    expect(networkOf(wrong), wrong).toBeUndefined()
  }
  expect(networkProblem(['10.0.0.0/8', 'x'])).toMatch(/^x is no network/)
})

test('a withdrawal has a reason of at most 500 characters', () => {
  expect(reasonProblem('  ')).toBeDefined()
  expect(reasonProblem('\u{1f511}'.repeat(LONGEST_REASON))).toBeUndefined()
  expect(reasonProblem('x'.repeat(LONGEST_REASON + 1))).toBeDefined()
})

test('a scope is what RFC 6749 lets it be', () => {
  expect(scopeProblem(['mcp:connect', 'https://api.example/.default', "it's"])).toBeUndefined()
  for (const wrong of ['a b', 'a"', 'a\\b', 'caf\u00e9', '\u202e', '']) expect(scopeProblem([wrong]), wrong).toBeDefined()
})

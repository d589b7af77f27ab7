import { expect, test } from 'vitest'
import type { Timestamp } from '@/ipc/generated'
import { expiresSoon } from './expiry'
import { jwksProblem } from './jwks'
import { linesOf } from './lines'
import { networkOf, networkProblem } from './networks'
import { pemProblem } from './pem'
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

test('a pasted PEM text is what was asked for, and a private key is never taken', () => {
  const block = (kind: string) => `-----BEGIN ${kind}-----\nMIIB+/aa==\n-----END ${kind}-----\n`
  expect(pemProblem(block('CERTIFICATE REQUEST'), 'csr')).toBeUndefined()
  expect(pemProblem(`text before\r\n${block('CERTIFICATE')}${block('CERTIFICATE')}`, 'certificate')).toBeUndefined()
  expect(pemProblem(block('X509 CRL'), 'crl')).toBeUndefined()
  expect(pemProblem('', 'csr')).toMatch(/Nothing/)
  expect(pemProblem('MIIB', 'csr')).toMatch(/not PEM/)
  expect(pemProblem(block('CERTIFICATE'), 'csr')).toMatch(/not a signing request/)
  expect(pemProblem(`${block('CERTIFICATE')}${block('X509 CRL')}`, 'certificate')).toMatch(/not a certificate/)
  for (const key of ['PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY']) {
    expect(pemProblem(`${block('CERTIFICATE REQUEST')}${block(key)}`, 'csr'), key).toMatch(/private key/)
    expect(pemProblem(`-----BEGIN ${key}-----\ncut off`, 'csr'), key).toMatch(/private key/)
  }
})

test('what expires is marked in the last quarter of its life, at most three days before its end', () => {
  const at = (hours: number) => new Date(hours * 3_600_000).toISOString() as Timestamp
  const soon = (life: number, age: number) => expiresSoon({ created: at(0), expires: at(life) }, age * 3_600_000)
  expect([soon(24, 17), soon(24, 18), soon(24, 18.1), soon(24, 24), soon(24, 30)]).toEqual([false, false, true, false, false])
  expect([soon(2_160, 2_000), soon(2_160, 2_089)]).toEqual([false, true])
})

test('pasted key sets are public', () => {
  const set = (...keys: object[]) => JSON.stringify({ keys })
  const key = { kty: 'OKP', crv: 'Ed25519', kid: 'a', x: 'AA' }
  expect(jwksProblem(set(key, { ...key, kid: 'b' }))).toBeUndefined()
  expect(jwksProblem('')).toMatch(/Nothing/)
  expect(jwksProblem('{')).toMatch(/not JSON/)
  expect(jwksProblem(JSON.stringify(key))).toMatch(/one key/)
  for (const wrong of ['[]', '7', 'null', '{"keys":{}}', '{"keys":[7]}']) expect(jwksProblem(wrong), wrong).toMatch(/JWK Set/)
  expect(jwksProblem(set())).toMatch(/no key/)
  expect(jwksProblem(set(key, { ...key, d: 'AA' }))).toMatch(/private key/)
  expect(jwksProblem(set({ kty: 'oct', k: 'AA' }))).toMatch(/private key/)
  expect(jwksProblem('-----BEGIN PRIVATE KEY-----')).toMatch(/private key/)
})

import { expect, test } from 'vitest'
import type { SecretsAuditView } from '@/ipc/generated'
import { addressProblem, leftOut, lookedIn, nowhere, vaultOf, vaultProblem, type VaultForm } from './secrets'

const typed: VaultForm = { ...nowhere, address: ' https://vault.example:8200 ', mount: 'kv', path: ' ', method: 'jwt', role: 'console', file: '/run/jwt' }

test('what was left empty of a place of Vault is not said', () => {
  expect(vaultOf(typed)).toEqual({
    address: 'https://vault.example:8200', mount: 'kv', login: { method: 'jwt', role: 'console', file: '/run/jwt' },
  })
  expect(vaultOf({ ...typed, namespace: 'a/b', path: 'cs', ca: ' /etc/ca.pem ', login: 'k8s' })).toEqual({
    address: 'https://vault.example:8200', namespace: 'a/b', mount: 'kv', path: 'cs', ca_file: '/etc/ca.pem',
    login: { method: 'jwt', mount: 'k8s', role: 'console', file: '/run/jwt' },
  })
})

test('a place of Vault has an address, a role and a file', () => {
  expect(vaultProblem(typed)).toBeUndefined()
  expect(vaultProblem({ ...typed, address: '' })).toMatch(/where Vault is/)
  expect(vaultProblem({ ...typed, address: 'http://vault.example' })).toMatch(/https/)
  expect(vaultProblem({ ...typed, role: ' ' })).toMatch(/role/)
  expect(vaultProblem({ ...typed, file: '' })).toMatch(/file/)
  expect(vaultProblem({ ...typed, file: 'jwt' })).toMatch(/whole path/)
  expect(vaultProblem({ ...typed, file: 'C:\\vault\\jwt' })).toBeUndefined()
  expect(vaultProblem({ ...typed, ca: 'ca.pem' })).toMatch(/whole path/)
})

test('the address of Vault has TLS or is on this machine, and says nothing else', () => {
  for (const good of ['https://vault.example', 'https://vault.example:8200/', 'http://127.0.0.1:8200', 'http://localhost:8200', 'http://[::1]:8200']) expect(addressProblem(good), good).toBeUndefined()
  for (const bad of ['vault.example', 'ftp://vault.example', 'http://vault.example', 'http://127.0.0.1.example', 'https://vault.example/v1', 'https://a@vault.example', 'https://:b@vault.example', 'https://vault.example?x', 'https://vault.example?x=1', 'https://vault.example#x']) {
    expect(addressProblem(bad), bad).toBeDefined()
  }
})

const looked: SecretsAuditView = { secrets: 41, too_short: 0, files: 23, bytes: 1, processes: 112, found: [], unread: [] }

test('it is said what was looked for and where, and what was not', () => {
  expect(lookedIn(looked)).toBe('41 secrets in 23 files of the home and in what 112 processes were started with')
  expect(lookedIn({ ...looked, too_short: 2, files: 1, processes: 0 })).toBe('39 secrets in 1 file of the home alone: this system shows no processes')
  expect(leftOut(looked)).toBeUndefined()
  expect(leftOut({ ...looked, too_short: 1 })).toBe('1 is too short to be told from chance, and was not looked for.')
  expect(leftOut({ ...looked, too_short: 2 })).toBe('2 are too short to be told from chance, and were not looked for.')
})

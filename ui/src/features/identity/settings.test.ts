import { expect, test } from 'vitest'
import type { ProviderSettings, Timestamp } from '@/ipc/generated'
import { standingMeaning, standingText } from './labels'
import { revokedOf, revokeProblem } from './revoke'
import { addressProblem, bareSettings, draftOf, firstProblem, problemsOf, settingsOf } from './settings'

const whole: ProviderSettings = {
  ...bareSettings('https://sso.example.com/realms/agents', 'keycloak', false),
  jwks_uri: 'https://sso.example.com/certs', audiences: ['api://tools', 'https://tools.example'], several_audiences: true, types: 'at+jwt_or_jwt', scopes: ['mcp:connect', 'db:read'],
  claims: { agent: 'azp', roles: 'realm_access.roles', task: 'mcp_task', tenant: { claim: 'org', value: ' acme ' } }, longest_secs: 5_400, longest_token_secs: 90, stale_secs: 0, sender: 'dpop',
  introspection: { endpoint: 'https://sso.example.com/introspect', client_id: 'countersign', secret: 'sso', when: 'always', cache_secs: 10 },
}

test('the form of a provider loses nothing and adds nothing', () => {
  expect(settingsOf(draftOf(whole))).toEqual(whole)
  const bare = { ...bareSettings('https://issuer.example', 'generic', false), jwks_uri: 'https://issuer.example/jwks' }
  expect(settingsOf(draftOf(bare))).toEqual(bare)
  expect(problemsOf(draftOf(whole))).toEqual({})
})

test('an issuer keeps its slash and its case: it is compared byte by byte', () => {
  expect(settingsOf({ ...draftOf(whole), issuer: ' https://Example.eu.auth0.com/ ' }).issuer).toBe('https://Example.eu.auth0.com/')
})

test('an address is https, and plain only where private addresses are allowed', () => {
  expect(addressProblem('https://issuer.example', false)).toBeUndefined()
  expect(addressProblem('http://127.0.0.1:8080/realms/x', true)).toBeUndefined()
  for (const wrong of ['', 'issuer.example', 'http://issuer.example', 'ftp://issuer.example', 'javascript:alert(1)', 'https://a:b@issuer.example', 'https://issuer.example/#x']) {
    expect(addressProblem(wrong, false), wrong).toBeDefined()
  }
})

test('what is missing is said before the backend is asked', () => {
  const draft = draftOf(whole)
  const cases: [patch: Partial<typeof draft>, field: string][] = [
    [{ jwksUri: '' }, 'jwksUri'], [{ algorithms: [] }, 'algorithms'], [{ scopes: 'a b' }, 'scopes'], [{ longestSecs: 0 }, 'longestSecs'], [{ longestTokenSecs: 9_999 }, 'longestTokenSecs'],
    [{ agentClaim: ' ' }, 'agentClaim'], [{ tenantValue: '' }, 'tenantValue'], [{ tenantClaim: '' }, 'tenantValue'], [{ endpoint: '' }, 'endpoint'], [{ clientId: '' }, 'clientId'], [{ secret: '' }, 'secret'],
  ]
  for (const [patch, field] of cases) expect(Object.keys(problemsOf({ ...draft, ...patch })), field).toContain(field)
  expect(problemsOf({ ...draft, introspects: false, endpoint: '', secret: '' })).toEqual({})
  expect(firstProblem(problemsOf({ ...draft, algorithms: [] }))).toBe('Signed with: At least one algorithm')
})

test('the standing of a provider is told with the age of its keys and what it means', () => {
  const now = Date.parse('2026-11-21T10:00:00.000Z')
  const status = { standing: 'cached' as const, keys: [], ignored: [], fetched: '2026-11-21T09:54:00.000Z' as Timestamp, failing_since: null, last_error: null, introspection: null }
  expect(standingText({ status }, now)).toBe('Cached, keys from 6 min ago')
  expect(standingText({ status: { ...status, standing: 'fresh' } }, now)).toBe('Fresh')
  const settings = { ...whole, stale_secs: 600 }
  expect(standingMeaning({ settings, status, enabled: true })).toMatch(/until these are 10 min old; then all of them are refused/)
  expect(standingMeaning({ settings, status: { ...status, standing: 'refusing', fetched: null }, enabled: true })).toMatch(/never be reached/)
  expect(standingMeaning({ settings, status, enabled: false })).toMatch(/refused until it is switched on/)
})

test('a withdrawal names exactly what was entered, and ends with the moment of the click', () => {
  const draft = { kind: 'subject' as const, issuer: ' https://issuer.example/ ', id: 'j', keyId: 'k', subject: 'runner ' }
  const now = Date.parse('2026-11-21T10:00:00.000Z')
  expect(revokedOf(draft, now)).toEqual({ kind: 'subject', issuer: 'https://issuer.example/', subject: 'runner', until: '2026-11-21T10:00:00.000Z' })
  expect(revokedOf({ ...draft, kind: 'token' }, now)).toEqual({ kind: 'token', issuer: 'https://issuer.example/', id: 'j' })
  expect(revokedOf({ ...draft, kind: 'key' }, now)).toEqual({ kind: 'key', issuer: 'https://issuer.example/', key_id: 'k' })
  expect(revokedOf({ ...draft, kind: 'issuer' }, now)).toEqual({ kind: 'issuer', issuer: 'https://issuer.example/', until: '2026-11-21T10:00:00.000Z' })
  expect(revokeProblem({ ...draft, subject: ' ' })).toBeDefined()
  expect(revokeProblem({ ...draft, kind: 'issuer', subject: '' })).toBeUndefined()
})

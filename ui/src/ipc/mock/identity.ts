/** Identity providers, what they vouch for, and what was withdrawn. */
import type { AgentView, CredentialView, ProofView, ProviderPreset, ProviderSettings, ProviderStatus, ProviderView, Revoked, RevocationView, TaskRef } from '../generated'
import { fillCertificates } from './certificates'
import { fillIssuer } from './issuer'
import { ago, ahead, digest, id } from './clock'
import type { Tenant } from './world'

export const settingsFor = (issuer: string, preset: ProviderPreset, more: Partial<ProviderSettings> = {}): ProviderSettings => ({
  preset, issuer, jwks_uri: `${issuer.replace(/\/$/, '')}/${paths[preset]}`, algorithms: preset === 'generic' ? ['ES256', 'EdDSA', 'PS256', 'RS256'] : ['RS256'], audiences: [], several_audiences: false,
  types: preset === 'okta' || preset === 'generic' ? 'at+jwt' : 'at+jwt_or_jwt', scopes: ['mcp:connect'], claims: { agent: 'sub' }, longest_secs: 3_600, longest_token_secs: 900, stale_secs: 600,
  sender: 'none', private_network: false, ...more,
})

const paths: Record<ProviderPreset, string> = {
  okta: 'v1/keys', entra: 'discovery/v2.0/keys', auth0: '.well-known/jwks.json', keycloak: 'protocol/openid-connect/certs', generic: '.well-known/jwks.json',
}

export const freshStatus = (algorithm = 'RS256'): ProviderStatus => ({
  standing: 'fresh', keys: [{ key_id: 'k-2026-11', algorithm }, { key_id: 'k-2026-10', algorithm }], ignored: [], fetched: ago(140), failing_since: null, last_error: null, introspection: null,
})

const down: Partial<ProviderStatus> = { last_error: 'could not connect to sso.example.com:443: connection refused' }

export function makeProvider(name: string, settings: ProviderSettings, status: ProviderStatus, subjects = 0): ProviderView {
  return { id: id('idp'), name, enabled: true, settings, created: ago(86_400 * 9), subjects, status }
}

const typical = (): ProviderView[] => [
  makeProvider('okta', settingsFor('https://acme.okta.com/oauth2/default', 'okta', { audiences: ['https://tools.acme.example'], claims: { agent: 'cid', roles: 'groups' } }), {
    ...freshStatus(), ignored: [{ key_id: 'enc-1', reason: 'it is for encryption' }, { key_id: null, reason: 'it has no id' }],
  }),
  makeProvider('keycloak', settingsFor('https://sso.example.com/realms/agents', 'keycloak', {
    claims: { agent: 'azp', roles: 'realm_access.roles', task: 'mcp_task', tenant: { claim: 'organization', value: 'acme' } }, sender: 'dpop', private_network: true,
    introspection: { endpoint: 'https://sso.example.com/realms/agents/protocol/openid-connect/token/introspect', client_id: 'countersign', secret: 'mail_password', when: 'token_tools', cache_secs: 10 },
  }), { ...freshStatus(), standing: 'cached', fetched: ago(390), failing_since: ago(330), ...down, introspection: { failing_since: ago(320), last_error: 'it did not answer in time', asked: 1_284 } }),
  makeProvider('entra', settingsFor('https://login.microsoftonline.com/8f1c5a52-0c55-4b0f-8d4e-6f5a0a2f3b11/v2.0', 'entra', { audiences: ['api://acme-tools'], claims: { agent: 'azp', roles: 'roles', tenant: { claim: 'tid', value: '8f1c5a52-0c55-4b0f-8d4e-6f5a0a2f3b11' } } }), {
    standing: 'unused', keys: [], ignored: [], fetched: null, failing_since: null, last_error: null, introspection: null,
  }),
]

const proofs: { agent: number; key: string; proof: (providers: ProviderView[]) => ProofView | null; networks: string[] }[] = [
  { agent: 1, key: 'okta/0oa2f9k3', proof: ([okta]) => okta ? { kind: 'external', provider: okta.id, provider_name: okta.name, subject: '0oa2f9k3x7QmLr5d7' } : null, networks: [] },
  { agent: 3, key: 'keycloak/admin', proof: ([, keycloak]) => keycloak ? { kind: 'external', provider: keycloak.id, provider_name: keycloak.name, subject: 'service-account-admin-with-a-rather-long-name@agents.example.com' } : null, networks: ['192.0.2.0/24'] },
]

export function makeCredentialOf(agent: AgentView, keyId: string, proof: ProofView, networks: string[], tasks: TaskRef[] | null = null): CredentialView {
  return { id: id('crd'), agent: agent.id, kind: proof.kind === 'outside_certificate' ? 'certificate' : proof.kind, key_id: keyId, state: 'active', created: ago(86_400), expires: ahead(86_400 * 6), last_used: null, last_from: null, networks, tasks, proof }
}

const reasons = [
  'Printed in a build log by mistake', 'The laptop that had it was stolen on the train', 'Rotation after the incident of the 14th: everything from before is to be asked for again', 'Offboarding',
  `Found in a public repository by a secret scanner; the finder wrote to security@example.com, see ticket SEC-2041. ${'The agent was told to ask for a new one. '.repeat(6)}`,
]

export function makeRevocation(what: Revoked, reason: string, age: number): RevocationView {
  return { id: id('rev'), what, sentence: sentenceOf(what), reason, created: ago(age), ends: ahead(Math.max(60, 3_600 * 26 - age)) }
}

function sentenceOf(what: Revoked): string {
  const at = what.kind === 'certificate' ? what.authority : what.issuer
  switch (what.kind) {
    case 'certificate': return `Certificate ${what.serial} of authority ${at} is revoked`
    case 'token': return `Token ${what.id} of ${at} is revoked`
    case 'key': return `Everything that key ${what.key_id} of ${at} has signed is revoked`
    case 'subject': return `Everything of ${what.subject} at ${at} issued up to ${what.until.slice(0, 16)} UTC is revoked`
    case 'issuer': return `Everything of ${at} issued up to ${what.until.slice(0, 16)} UTC is revoked`
  }
}

function revocationsOf(providers: ProviderView[], many: number): RevocationView[] {
  return Array.from({ length: many }, (_, at) => {
    const issuer = providers[at % providers.length]?.settings.issuer ?? ''
    const whats: Revoked[] = [
      { kind: 'token', issuer, id: digest().slice(0, 22) }, { kind: 'subject', issuer, subject: at > 8 ? `build-\u202erunner-${at}` : `runner-${at}`, until: ago(at * 900 + 600) },
      { kind: 'key', issuer, key_id: `k-2026-0${(at % 9) + 1}` }, { kind: 'token', issuer, id: digest() }, { kind: 'issuer', issuer, until: ago(at * 900 + 600) },
    ]
    return makeRevocation(whats[at % whats.length] ?? { kind: 'issuer', issuer, until: ago(0) }, reasons[at % reasons.length] ?? '', at * 900 + 600)
  })
}

export function fillIdentity(tenant: Tenant, crowded: boolean): void {
  tenant.providers = typical()
  if (crowded) {
    for (let at = 1; at <= 22; at += 1) {
      const issuer = `https://identity-${String(at).padStart(2, '0')}.a-company-with-a-long-name.example.com/oauth2/authorization-servers/agents-of-region-${at}`
      tenant.providers.push(makeProvider(`region-${String(at).padStart(2, '0')}`, settingsFor(issuer, 'generic'), at === 3
        ? { ...freshStatus(), standing: 'refusing', fetched: ago(9_000), failing_since: ago(8_900), last_error: 'answered 503 instead of its keys, 41 times' }
        : { ...freshStatus('ES256'), keys: Array.from({ length: (at % 4) + 1 }, (_, key) => ({ key_id: digest().slice(0, 43 - key), algorithm: 'ES256' })) }))
    }
    const off = tenant.providers.at(-1)
    if (off) off.enabled = false
  }
  for (const { agent: at, key, proof, networks } of proofs) {
    const agent = tenant.agents[at]
    const proven = proof(tenant.providers)
    if (agent && proven) agent.credentials.push(makeCredentialOf(agent, key, proven, networks, networks.length > 1 ? agent.tasks.slice(0, 1) : null))
  }
  fillCertificates(tenant, crowded)
  fillIssuer(tenant, crowded)
  countSubjects(tenant)
  tenant.revocations = revocationsOf(tenant.providers, crowded ? 240 : 4)
  for (const tool of tenant.tools) {
    if (tool.server_name === 'workbench') Object.assign(tool, described[tool.name] ?? {})
  }
}

const described: Record<string, { scopes: string[]; data_system: string | null }> = {
  search_database: { scopes: ['db:read'], data_system: 'Customer database' }, send_email: { scopes: ['mail:send'], data_system: 'Mail gateway' },
  write_file: { scopes: ['files:write'], data_system: null }, access_secrets: { scopes: ['secrets:read', 'secrets:list'], data_system: 'Key vault' },
}

/** Brings the numbers of subjects up to date. */
export function countSubjects(tenant: Tenant): void {
  const all = tenant.agents.flatMap((agent) => agent.credentials)
  for (const provider of tenant.providers) {
    provider.subjects = all.filter(({ proof, state }) => proof.kind === 'external' && proof.provider === provider.id && state !== 'revoked').length
  }
}

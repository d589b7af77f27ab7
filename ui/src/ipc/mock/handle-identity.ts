import { IpcError } from '../failure'
import type { AuthnFailure, AuthnOverview, ProviderView, RevokedAll, TokenCheck, TokenReport } from '../generated'
import type { Handlers } from './backend'
import { ago, correlation } from './clock'
import { countSubjects, freshStatus, makeCredentialOf, makeProvider, makeRevocation, settingsFor } from './identity'
import { enforce } from './handle-policy'
import { changed, missing, tenantOf } from './handle-status'
import type { Tenant, World } from './world'

function providerOf(world: World, tenant: string, provider: string): ProviderView {
  const found = tenantOf(world, tenant).providers.find((one) => one.id === provider)
  if (!found) throw missing('identity provider')
  return found
}

function mustBeNew(found: Tenant, name: string, issuer: string, but?: ProviderView) {
  const others = found.providers.filter((one) => one !== but)
  if (others.some((one) => one.name === name)) throw new IpcError('conflict', `An identity provider named ${name} exists already.`, correlation(), 'name')
  if (others.some((one) => one.settings.issuer === issuer)) throw new IpcError('conflict', 'Another identity provider has this issuer already.', correlation(), 'issuer')
}

/** A token of the mock says itself which check it fails: `expired`, `audience`, anything else passes. */
function report(found: Tenant, provider: ProviderView, token: string): TokenReport {
  const failing = ['size', 'typ', 'alg', 'kid', 'signature', 'iss', 'audience', 'expired', 'subject'].find((word) => token.includes(word))
  const external = found.agents.flatMap((agent) => agent.credentials.flatMap((one) => (one.proof.kind === 'external' && one.proof.provider === provider.id ? [{ agent, subject: one.proof.subject }] : [])))[0]
  const all: [word: string, name: string, holds: string, fails: string][] = [
    ['size', 'Size', '1 142 bytes of at most 8 192', '9 004 bytes of at most 8 192'],
    ['typ', 'Type', 'at+jwt', 'JWT: the provider’s tokens are at+jwt'],
    ['alg', 'Algorithm', 'RS256, accepted from this provider', 'HS256 is not one for public signatures'],
    ['kid', 'Key', 'k-2026-11, known', 'k-1999-01: the provider has no such key'],
    ['signature', 'Signature', 'made with key k-2026-11', 'the signature is wrong'],
    ['iss', 'Issuer', provider.settings.issuer, `${provider.settings.issuer}/ is another issuer`],
    ['audience', 'Audience', 'http://127.0.0.1:7411/t/acme/mcp, this endpoint', 'https://other.example.com/mcp is another endpoint'],
    ['expired', 'Times', 'issued 4 min ago, expires in 11 min', 'expired 3 h ago'],
    ['subject', 'Subject', external ? `${external.subject}, registered with ${external.agent.name}` : 'nobody is registered', '00u1hidden\u202etxt is registered with no agent'],
    ['roles', 'Roles', 'within those of the agent', ''],
    ['scopes', 'Scopes', 'mcp:connect is there', ''],
    ['bound', 'Sender', 'not bound; the provider does not ask for it', ''],
    ['revoked', 'Revocations', 'nothing concerns it', ''],
  ]
  const broken = all.findIndex(([word]) => word === failing)
  const checks: TokenCheck[] = all.map(([, name, holds, fails], at) =>
    broken === -1 || at < broken ? { name, passed: true, detail: holds } : at === broken ? { name, passed: false, detail: fails } : { name, passed: null, detail: '' })
  const known = broken === -1 && external ? external.agent : null
  return {
    verdict: known !== null, checks, agent: known?.id ?? null, agent_name: known?.name ?? null, roles: known ? known.roles.map((role) => role.name) : null,
    tasks: known?.tasks.map((task) => task.name) ?? [], scopes: broken === -1 || broken > 4 ? ['mcp:connect', 'db:read'] : [],
  }
}

const sentences: Record<string, string> = {
  signature_stale: 'The signature is too old, or from the future', credential_unknown: 'There is no such credential', token_expired: 'The token has expired',
  audience_wrong: 'The token is for another endpoint', no_credential: 'Nothing was presented', subject_unknown: 'The token’s subject is registered with no agent',
  unexpected_authorization: 'An `Authorization` header was sent beside another credential',
}

function overviewOf(world: World, tenant: string): AuthnOverview {
  const rows = world.audit.filter((row) => row.tenant === tenant)
  const failed = rows.filter((row) => row.kind === 'authn.failed')
  const accepted = rows.filter((row) => row.kind === 'decision' || row.kind === 'session.opened')
  const scale = accepted.length > 0 ? 9 : 0
  const byReason = new Map<string, AuthnFailure>()
  for (const row of failed) {
    const reason = row.reason ?? 'unknown'
    const known = byReason.get(reason)
    if (known) known.count += 1
    else byReason.set(reason, { reason, sentence: sentences[reason] ?? reason, count: 1, last: ago(70 + byReason.size * 840), claimed: row.who === 'nobody' ? null : row.who, client: row.client })
  }
  const last = accepted.length > 0 ? ago(38) : null
  return {
    since: ago(86_400),
    methods: [
      { method: 'api_key', accepted: accepted.length * scale, refused: Math.ceil(failed.length / 2), last },
      { method: 'token', accepted: accepted.length * 4, refused: Math.floor(failed.length / 3), last },
      { method: 'certificate', accepted: accepted.length, refused: 0, last },
      { method: 'none', accepted: 0, refused: Math.floor(failed.length / 4), last: failed.length > 0 ? ago(1_200) : null },
    ],
    failures: [...byReason.values()].sort((a, b) => b.count - a.count),
  }
}

function takeAll(world: World, tenant: string, agent?: string): RevokedAll {
  const found = tenantOf(world, tenant)
  const agents = found.agents.filter((it) => agent === undefined || it.id === agent)
  const usable = agents.flatMap((one) => one.credentials).filter(({ state }) => state === 'active' || state === 'suspended')
  const sessions = agents.reduce((sum, one) => sum + one.live_sessions, 0)
  for (const credential of usable) credential.state = 'revoked'
  for (const one of agents) one.live_sessions = 0
  countSubjects(found)
  enforce(world)
  return { credentials: usable.length, sessions, revocations: [] }
}

export const identityHandlers: Handlers = {
  provider_list: (world, { tenant }) => tenantOf(world, tenant).providers,
  provider_discover: (_, { issuer, preset, private_network }) => {
    if (issuer.includes('nothing')) throw new IpcError('upstream', `${issuer} answered 404 at both places where metadata could be. Check the issuer, or enter the settings by hand.`, correlation())
    return {
      settings: settingsFor(issuer, preset, { private_network }),
      notes: ['Metadata found at /.well-known/oauth-authorization-server', 'It signs with RS256 and ES256; HS256 is offered too and was left out', 'It publishes no introspection endpoint'],
    }
  },
  provider_create: (world, { tenant, name, settings, enabled }) => {
    const found = tenantOf(world, tenant)
    mustBeNew(found, name, settings.issuer)
    const provider = { ...makeProvider(name, settings, { ...freshStatus(), standing: 'unused', keys: [], fetched: null }), enabled, created: ago(0) }
    found.providers.push(provider)
    enforce(world)
    return provider
  },
  provider_update: (world, { tenant, provider, name, settings, enabled }) => {
    const found = providerOf(world, tenant, provider)
    mustBeNew(tenantOf(world, tenant), name ?? found.name, settings?.issuer ?? found.settings.issuer, found)
    enforce(world)
    return Object.assign(found, { ...(name !== undefined && { name }), ...(settings && { settings }), ...(enabled !== undefined && { enabled }) })
  },
  provider_remove: (world, { tenant, provider }) => {
    const found = tenantOf(world, tenant)
    found.providers = found.providers.filter((one) => one.id !== provider)
    for (const agent of found.agents) agent.credentials = agent.credentials.filter(({ proof }) => proof.kind !== 'external' || proof.provider !== provider)
    return enforce(world)
  },
  provider_refresh: (world, { tenant, provider }) => {
    const found = providerOf(world, tenant, provider)
    if (!found.enabled) throw new IpcError('conflict', `Identity provider ${found.name} is disabled, so its keys are not fetched; enable it first.`, correlation())
    if (found.status.failing_since === null) found.status = { ...freshStatus(), fetched: ago(0) }
    return found
  },
  provider_test: (world, { tenant, provider, token }) => report(tenantOf(world, tenant), providerOf(world, tenant, provider), token),
  revocation_list: (world, { tenant }) => tenantOf(world, tenant).revocations,
  revocation_add: (world, { tenant, what, reason }) => {
    const added = makeRevocation(what, reason, 0)
    tenantOf(world, tenant).revocations.unshift(added)
    changed('registry', 'audit')
    return added
  },
  agent_revoke: (world, { tenant, agent }) => takeAll(world, tenant, agent),
  tenant_revoke: (world, { tenant }) => takeAll(world, tenant),
  authn_overview: (world, { tenant }) => overviewOf(world, tenant),
  credential_register: (world, { tenant, agent, provider, subject, networks, tasks }) => {
    const found = tenantOf(world, tenant)
    const owner = found.agents.find((one) => one.id === agent)
    if (!owner) throw missing('agent')
    const vouching = providerOf(world, tenant, provider)
    const taken = found.agents.flatMap((one) => one.credentials).some(({ proof }) => proof.kind === 'external' && proof.provider === provider && proof.subject === subject)
    if (taken) throw new IpcError('conflict', `This subject of ${vouching.name} is registered with an agent already.`, correlation(), 'subject')
    const credential = makeCredentialOf(owner, `${vouching.name}/${subject.slice(0, 8)}`, { kind: 'external', provider: vouching.id, provider_name: vouching.name, subject }, networks ?? [], tasks ? found.tasks.filter((task) => tasks.includes(task.id)).map(({ id, name }) => ({ id, name })) : null)
    owner.credentials.push(credential)
    countSubjects(found)
    return credential
  },
  tool_describe: (world, { tenant, tool, scopes, data_system, introspect }) => {
    const found = tenantOf(world, tenant).tools.find((one) => one.id === tool)
    if (!found) throw missing('tool')
    Object.assign(found, { scopes, data_system: data_system ?? null, introspect: introspect ?? found.introspect })
    return enforce(world)
  },
  tool_set_rate: (world, { tenant, tool, rate }) => {
    const found = tenantOf(world, tenant).tools.find((one) => one.id === tool)
    if (!found) throw missing('tool')
    found.rate = rate ?? null
    return enforce(world)
  },
  reference_matrix: (world, { tenant }) => {
    const found = tenantOf(world, tenant)
    return {
      policy_version: world.status.policy_version,
      rows: found.tools.flatMap((tool) => found.roles.map((role) => ({
        role: role.id, role_name: role.name, tool: tool.id, tool_name: tool.name, server_name: tool.server_name, enabled: tool.enabled,
        grant: found.grants.get(`${tool.id}/${role.id}`) ?? 'deny', condition: found.conditions.get(`${tool.id}/${role.id}`) ?? null,
        scopes: tool.scopes, introspect: tool.introspect, data_system: tool.data_system,
      }))),
    }
  },
  matrix_save: (world, { tenant, format }) => ({ path: `${world.status.home}/exports/${tenantOf(world, tenant).view.name}-${format === 'csv' ? 'matrix.csv' : 'identity-provider.json'}` }),
  matrix_export: (world, { tenant, format }) => {
    const found = tenantOf(world, tenant)
    const rows = found.roles.flatMap((role) => found.tools.map((tool) => ({ role: role.name, tool, grant: found.grants.get(`${tool.id}/${role.id}`) ?? 'deny' })))
    if (format === 'csv') {
      const lines = rows.map(({ role, tool, grant }) => [role, tool.server_name, tool.name, grant, tool.scopes.join(' '), tool.data_system ?? ''].join(','))
      return { format, file_name: `${found.view.name}-matrix.csv`, text: `role,server,tool,grant,scopes,data_system\r\n${lines.join('\r\n')}\r\n` }
    }
    const scopes = [...new Set(['mcp:connect', ...found.tools.flatMap((tool) => tool.scopes)])].sort()
    const text = JSON.stringify({
      resource: `${world.status.gateway.url}/t/${found.view.name}/mcp`, scopes: scopes.map((name) => ({ name })), roles: found.roles.map(({ name }) => ({ name })),
      clients: found.agents.map((agent) => ({ name: agent.name, roles: agent.roles.map((role) => role.name), scopes })),
    }, null, 2)
    return { format, file_name: `${found.view.name}-identity-provider.json`, text }
  },
}

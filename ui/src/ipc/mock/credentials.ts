/** Credentials in every stage of their lives, and what is known of them. */
import type { AgentView, CalendarWhat, CredentialRow, CredentialStage, CredentialView, Lifecycle, LifecycleView, Timestamp } from '../generated'
import { record } from './audit'
import { ago, ahead, below, id } from './clock'
import { makeAgent, type Tenant, type World } from './world'

const HOUR = 3_600
const DAY = 24 * HOUR

export function lifecycleView(set: Lifecycle): LifecycleView {
  const usual = set.lifetime_secs ?? 3 * DAY
  const revoke = set.revoke_unused_secs ?? 30 * DAY
  return {
    set, usual_secs: usual, longest_secs: set.lifetime_secs ?? 90 * DAY, rotate_secs: Math.min(Math.floor((usual * 2) / 3), set.rotate_secs ?? 90 * DAY),
    overlap_secs: set.overlap_secs ?? Math.min(DAY, Math.floor(usual / 3)), alert_unused_secs: set.alert_unused_secs ?? Math.min(15 * DAY, revoke), revoke_unused_secs: revoke,
  }
}

type Made = Partial<CredentialView> & { /** How old it is, and how long it lasts, in hours. */ age: number; life: number; used?: number | null }

function make(tenant: Tenant, agent: AgentView, { age, life, used = null, ...more }: Made): CredentialView {
  const last = used === null ? null : ago(used)
  const credential: CredentialView = {
    id: id('crd'), agent: agent.id, kind: 'api_key', key_id: `csk_${tenant.view.name}_${id('x').slice(2, 14)}`, state: age < life ? 'active' : 'expired', created: ago(age * HOUR), expires: ahead((life - age) * HOUR),
    last_used: last, last_from: last && `10.20.${below(200)}.${below(200) + 10}`, networks: [], tasks: null, proof: { kind: 'api_key' }, ...more,
  }
  agent.credentials.push(credential)
  return credential
}

/** One key and the one that takes its place. */
function pair(tenant: Tenant, agent: AgentView, overlap: number | null): void {
  const old = make(tenant, agent, { age: 50, life: 72, used: 900, ...(overlap !== null && { overlap_ends: ahead(overlap * HOUR) }) })
  make(tenant, agent, { age: 2, life: 72, used: overlap === null ? null : 400, replaces: old.id, waits: overlap === null })
}

const kinds: ((tenant: Tenant, agent: AgentView) => void)[] = [
  (tenant, agent) => void make(tenant, agent, { age: 20, life: 72, used: 120 }),
  (tenant, agent) => pair(tenant, agent, 17),
  (tenant, agent) => pair(tenant, agent, null),
  (tenant, agent) => void make(tenant, agent, { age: 20 * 24, life: 90 * 24 }),
  (tenant, agent) => void make(tenant, agent, { age: 66, life: 72, used: 30 * HOUR }),
  (tenant, agent) => void make(tenant, agent, { age: 40, life: 72, used: 4_000, state: 'suspended' }),
  (tenant, agent) => void make(tenant, agent, { age: 80, life: 72, used: 9 * HOUR }),
  (tenant, agent) => void make(tenant, agent, { age: 60, life: 90 * 24, used: 3 * HOUR, state: 'revoked' }),
  (tenant, agent) => void make(tenant, agent, { age: 9, life: 90 * 24, used: 3_000, networks: ['10.20.0.0/16'] }),
  (tenant, agent) => void make(tenant, agent, { age: 31, life: 72, used: 700 }),
]

/** Gives a tenant credentials in every stage. */
export function fillStages(tenant: Tenant, many: number): void {
  const [role] = tenant.roles
  const [task] = tenant.tasks
  if (!role || !task) return
  for (let at = 0; tenant.agents.flatMap((agent) => agent.credentials).length < many; at += 1) {
    const name = at === 4 ? 'collector-of-quarterly-figures-from-every-region-of-europe' : `worker-${String(at + 1).padStart(2, '0')}`
    const agent = makeAgent(name, [role], [task])
    tenant.agents.push(agent)
    kinds[at % kinds.length]?.(tenant, agent)
  }
}

/** What the housekeeper has on record. */
export function fillHousekeeping(world: World): void {
  const [tenant] = world.tenants
  const key = tenant?.agents[0]?.credentials[0]?.key_id ?? 'csk_acme_0'
  const done: [kind: string, reason: string, summary: string][] = [
    ['credential.rotated', 'due', `API key \`${key}\` is to be replaced by \`csk_acme_5d1f2c3b4a59\`, which waits for its holder`],
    ['credential.overlap', 'successor_used', 'API key `csk_acme_90aa17c2be01` goes on beside its successor until 2026-11-22T10:41:07Z'],
    ['credential.retired', 'overlap_ended', 'API key `csk_acme_11d7e2b0c9f4` is over: its overlap has ended'],
    ['credential.rotation_failed', 'rotation_failed', 'API key `csk_acme_77b3d0a9e155` could not be replaced: the secrets are sealed'],
    ['credential.retired', 'credential_unused', 'API key `csk_acme_3e8a6d24c710` is over: nobody has used it for 30 days'],
  ]
  world.audit.push(...done.map(([kind, reason, summary], at) => record(world, 0, at * 5_400 + 600, { kind, reason, summary, client: null })))
  world.audit.sort((a, b) => b.at.localeCompare(a.at))
  world.audit.forEach((row, at) => { row.seq = world.audit.length - at })
}

const millis = (at: Timestamp) => Date.parse(at)
const endOf = ({ expires, overlap_ends }: CredentialView) => Math.min(millis(expires), overlap_ends ? millis(overlap_ends) : Number.POSITIVE_INFINITY)

export function stageOf(one: CredentialView, terms: LifecycleView, now = Date.now()): CredentialStage {
  const [end, life] = [endOf(one), millis(one.expires) - millis(one.created)]
  if (one.state === 'revoked' || one.state === 'suspended') return one.state
  if (end <= now) return 'expired'
  if (one.waits) return 'waiting'
  if (one.overlap_ends) return 'overlapping'
  if (millis(one.last_used ?? one.created) + terms.alert_unused_secs * 1000 <= now) return 'unused'
  return end - now < Math.min(life / 4, 3 * DAY * 1000) ? 'expiring' : 'active'
}

/** What happens to it by itself, the next first. */
export function aheadOf(one: CredentialView, all: CredentialView[], terms: LifecycleView, now = Date.now()): { at: Timestamp; what: CalendarWhat }[] {
  const successor = successorOf(one, all)
  const old = all.find((it) => it.id === one.replaces && it.state !== 'revoked')
  const life = millis(one.expires) - millis(one.created)
  const rotates = one.kind === 'api_key' && one.state === 'active' && !one.overlap_ends && !one.waits && !successor ? millis(one.created) + Math.min((life * 2) / 3, (terms.set.rotate_secs ?? 90 * DAY) * 1000) : null
  const quiet = one.waits ? (old ? endOf(old) : null) : millis(one.last_used ?? one.created) + terms.revoke_unused_secs * 1000
  const end = endOf(one)
  const found: [number | null, CalendarWhat][] = [[rotates === null ? null : Math.max(now, rotates), 'rotates'], [quiet, 'ends_unused'], [end, end < millis(one.expires) ? 'overlap_ends' : 'expires']]
  return found
    .filter((it): it is [number, CalendarWhat] => it[0] !== null && it[0] <= end)
    .sort((a, b) => a[0] - b[0])
    .map(([at, what]) => ({ at: new Date(at).toISOString() as Timestamp, what }))
}

export const successorOf = (one: CredentialView, all: CredentialView[]) => all.find((it) => it.replaces === one.id && it.state !== 'revoked')?.id ?? null

export function rowOf(tenant: Tenant, agent: AgentView, one: CredentialView): CredentialRow {
  const all = tenant.agents.flatMap((it) => it.credentials)
  const terms = lifecycleView(tenant.lifecycle)
  const stage = stageOf(one, terms)
  const next = stage === 'revoked' || stage === 'expired' ? null : (aheadOf(one, all, terms)[0] ?? null)
  const rotates = aheadOf(one, all, terms).find((it) => it.what === 'rotates')?.at
  return {
    credential: { ...one, ...(rotates && { rotates }) }, agent_name: agent.name, stage, successor: successorOf(one, all), next,
    sessions: tenant.sessions.filter((session) => session.state === 'live' && session.credential === one.id).length,
  }
}

import { IpcError } from '../failure'
import type { CredentialOrder, CredentialRow, CredentialView, PosturePoint, PostureWhat, Timestamp } from '../generated'
import type { Handlers } from './backend'
import { ago, ahead, correlation, id } from './clock'
import { aheadOf, lifecycleView, rowOf, successorOf } from './credentials'
import { credentialOf } from './handle-agents'
import { enforce } from './handle-policy'
import { changed, missing, tenantOf } from './handle-status'
import type { Tenant, World } from './world'

const credentialsOf = (tenant: Tenant) => tenant.agents.flatMap((agent) => agent.credentials)
const rowsOf = (tenant: Tenant) => tenant.agents.flatMap((agent) => agent.credentials.map((one) => rowOf(tenant, agent, one)))

const LAST = '9999'
const sortedBy: Record<CredentialOrder, (row: CredentialRow) => string> = {
  agent: (row) => row.agent_name, created: (row) => row.credential.created, ends: (row) => row.credential.overlap_ends ?? row.credential.expires,
  next: (row) => row.next?.at ?? LAST, used: (row) => row.credential.last_used ?? LAST,
}

function page(rows: CredentialRow[], order: CredentialOrder, reversed: boolean): CredentialRow[] {
  const value = sortedBy[order]
  return rows.toSorted((a, b) => {
    const [one, other] = [value(a), value(b)]
    // What has none of it comes last, whichever way it is sorted.
    if (one === LAST || other === LAST) return one === other ? 0 : one === LAST ? 1 : -1
    return (reversed ? -1 : 1) * one.localeCompare(other)
  })
}

function replace(world: World, tenant: string, old: CredentialView, waits: boolean): CredentialView {
  const owner = tenantOf(world, tenant).agents.find((agent) => agent.id === old.agent)
  if (!owner) throw missing('agent')
  const life = (Date.parse(old.expires) - Date.parse(old.created)) / 1000
  const { overlap_ends: _, ...like } = old
  const made: CredentialView = { ...like, id: id('crd'), key_id: `csk_${tenantOf(world, tenant).view.name}_${id('x').slice(2, 14)}`, state: 'active', created: ago(0), expires: ahead(life), last_used: null, last_from: null, replaces: old.id, waits }
  owner.credentials.push(made)
  return made
}

const fixes: Record<PostureWhat, string> = {
  ends_without_successor: 'Replace it before it ends, or let it end.', lives_too_long: 'Replace it: its successor lasts as long as the tenant says.',
  never_used: 'Revoke it, unless its agent is about to be put to work.', not_fetched: 'Let its agent connect with `countersign connect`, or hand a new one over.',
}

function faultsOf(row: CredentialRow, longest: number): PostureWhat[] {
  const { credential, stage } = row
  const life = (Date.parse(credential.expires) - Date.parse(credential.created)) / 1000
  const found: PostureWhat[] = []
  if (stage === 'unused' && credential.last_used === null) found.push('never_used')
  if (life > longest) found.push('lives_too_long')
  if (stage === 'expiring' && row.successor === null && credential.kind !== 'certificate' && Date.parse(credential.expires) - Date.now() < 86_400_000) found.push('ends_without_successor')
  if (stage === 'waiting') found.push('not_fetched')
  return found
}

const isGood = (one: CredentialView) => one.state === 'active' && Date.parse(one.overlap_ends ?? one.expires) > Date.now()

export const credentialHandlers: Handlers = {
  credential_page: (world, { tenant, filter, order, reversed, offset, limit }) => {
    const found = tenantOf(world, tenant)
    const text = filter.text?.toLowerCase()
    const rows = rowsOf(found).filter(({ credential, agent_name }) =>
      (!filter.credential || credential.id === filter.credential) && (!filter.agent || credential.agent === filter.agent) && (!filter.kind || credential.kind === filter.kind)
      && (!text || credential.key_id.toLowerCase().includes(text) || agent_name.includes(text)))
    const counts = new Map<CredentialRow['stage'], number>()
    for (const row of rows) counts.set(row.stage, (counts.get(row.stage) ?? 0) + 1)
    const meant = rows.filter((row) => !filter.stage || row.stage === filter.stage)
    if (filter.credential && meant.length === 0) throw missing('credential')
    return { rows: page(meant, order, reversed ?? false).slice(offset ?? 0, (offset ?? 0) + limit), total: meant.length, stages: [...counts].map(([stage, credentials]) => ({ stage, credentials })) }
  },
  credential_rotate: (world, { tenant, credential, now }) => {
    const old = credentialOf(world, tenant, credential)
    const all = credentialsOf(tenantOf(world, tenant))
    const next = all.find((one) => one.id === successorOf(old, all))
    if (next && !now) throw new IpcError('conflict', 'Another credential takes its place already.', correlation())
    const isNew = next === undefined || next.waits
    const made = next ?? replace(world, tenant, old, !now)
    if (now) {
      old.state = 'revoked'
      made.waits = false
    }
    changed('registry')
    return { old, new: made, secret: now && isNew ? `css_${id('x').slice(2)}${id('x').slice(2, 13)}` : null }
  },
  credential_rollback: (world, { tenant, credential }) => {
    const old = credentialOf(world, tenant, credential)
    const made = credentialsOf(tenantOf(world, tenant)).find((one) => one.replaces === old.id && one.state !== 'revoked')
    if (!made) throw new IpcError('conflict', 'No credential takes its place.', correlation())
    made.state = 'revoked'
    delete old.overlap_ends
    changed('registry')
    return { old, new: made, secret: null }
  },
  credential_rotate_all: (world, { tenant, agent, most }) => {
    const all = credentialsOf(tenantOf(world, tenant))
    const meant = all.filter((one) => one.kind === 'api_key' && isGood(one) && !one.waits && !one.overlap_ends && successorOf(one, all) === null && (!agent || one.agent === agent))
    const now = meant.slice(0, most)
    for (const one of now) replace(world, tenant, one, true)
    changed('registry')
    return { begun: ago(0), rotated: now.length, failed: 0, left: meant.length - now.length }
  },
  credential_calendar: (world, { tenant }) => {
    const found = tenantOf(world, tenant)
    const all = credentialsOf(found)
    const terms = lifecycleView(found.lifecycle)
    return found.agents
      .flatMap((agent) => agent.credentials.filter(isGood).flatMap((one) => aheadOf(one, all, terms).map((it) => ({ ...it, credential: one.id, key_id: one.key_id, agent: agent.id, agent_name: agent.name }))))
      .filter((it) => it.at <= ahead(90 * 86_400))
      .toSorted((a, b) => a.at.localeCompare(b.at))
  },
  credential_posture: (world, { tenant }) => {
    const found = tenantOf(world, tenant)
    const standing = rowsOf(found).filter((row) => isGood(row.credential))
    const { longest_secs: longest } = lifecycleView(found.lifecycle)
    const points: PosturePoint[] = standing.flatMap((row) => faultsOf(row, longest).map((what) => ({ what, credential: row.credential.id, key_id: row.credential.key_id, agent_name: row.agent_name, fix: fixes[what] })))
    const faulty = new Set(points.map((point) => point.credential)).size
    return { score: standing.length === 0 ? 100 : Math.floor(((standing.length - faulty) * 100) / standing.length), credentials: standing.length, points }
  },
  revoke_preview: (world, { tenant, agent, credential }) => {
    const found = tenantOf(world, tenant)
    const isMeant = (one: CredentialView) => (!agent || one.agent === agent) && (!credential || one.id === credential)
    const agents = found.agents.flatMap((one) => {
      const [meant, kept] = [one.credentials.filter((it) => isGood(it) && isMeant(it)), one.credentials.filter((it) => isGood(it) && !it.waits && !isMeant(it))]
      const sessions = found.sessions.filter((session) => session.state === 'live' && session.agent === one.id && (!agent || agent === one.id) && (!credential || session.credential === credential))
      const used = meant.map((it) => it.last_used).filter((it): it is Timestamp => it !== null).toSorted().at(-1) ?? null
      const waiting = credential ? 0 : world.approvals.filter((it) => it.row.state === 'pending' && it.agent === one.id && (!agent || agent === one.id)).length
      return meant.length + sessions.length === 0 ? [] : [{ agent: one.id, name: one.name, credentials: meant.length, left: kept.length, sessions: sessions.length, waiting, last_used: used }]
    })
    const sum = (name: 'sessions' | 'waiting') => agents.reduce((all, one) => all + one[name], 0)
    return { credentials: credentialsOf(found).filter((one) => one.state !== 'revoked' && isMeant(one)).length, sessions: sum('sessions'), waiting: sum('waiting'), agents: agents.toSorted((a, b) => a.name.localeCompare(b.name)) }
  },
  rotate_preview: (world, { tenant, agent, credential }) => {
    const found = tenantOf(world, tenant)
    const all = credentialsOf(found)
    const good = all.filter((one) => isGood(one) && (!agent || one.agent === agent) && (!credential || one.id === credential))
    const keys = good.filter((one) => one.kind === 'api_key' && !one.waits)
    const fresh = keys.filter((one) => !one.overlap_ends && successorOf(one, all) === null)
    return {
      keys: fresh.length, already: keys.length - fresh.length, others: good.filter((one) => one.kind !== 'api_key').length,
      agents: found.agents.filter((one) => fresh.some((it) => it.agent === one.id)).map((one) => one.name).toSorted(),
      first_end: fresh.map((one) => one.expires).toSorted()[0] ?? null, overlap_secs: lifecycleView(found.lifecycle).overlap_secs,
    }
  },
  housekeeping_show: ({ status: { halted } }) => ({ last: ago(20), halted: halted?.since ?? null, why: halted?.why ?? null }),
  housekeeping_resume: (world) => {
    if (world.status.halted === null) throw new IpcError('conflict', 'Housekeeping does not stand still.', correlation())
    world.status.halted = null
    changed('status')
    return { last: ago(0), halted: null, why: null }
  },
  lifecycle_show: (world, { tenant }) => lifecycleView(tenantOf(world, tenant).lifecycle),
  lifecycle_set: (world, { tenant, lifecycle, owner }) => {
    const found = tenantOf(world, tenant)
    if (owner !== undefined && owner !== world.passphrase) throw new IpcError('wrong_passphrase', 'This is not the passphrase; try again.', correlation())
    const [before, after] = [lifecycleView(found.lifecycle), lifecycleView(lifecycle)]
    if (owner === undefined && after.longest_secs > before.longest_secs) throw new IpcError('invalid', 'Letting credentials live longer takes an owner\u2019s passphrase.', correlation(), 'owner')
    found.lifecycle = lifecycle
    enforce(world)
    return after
  },
}

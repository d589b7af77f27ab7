import type { Change } from '../generated'
import { IpcError } from '../failure'
import type { Handlers } from './backend'
import { ago, ahead, correlation } from './clock'
import { makeOperator } from './operators'
import { gatewayOf, served } from './serving'
import { makeWorld, recount, type Tenant, type World } from './world'

export const changed = (...topics: Change['topic'][]) => {
  for (const topic of topics) window.dispatchEvent(new CustomEvent('countersign-mock-change', { detail: { topic } }))
}

export function tenantOf(world: World, tenant: string): Tenant {
  const found = world.tenants.find((one) => one.view.id === tenant)
  if (!found) throw missing('tenant')
  return found
}

export const missing = (what: string) => new IpcError('not_found', `There is no such ${what}.`, correlation())

const status = (world: World) => {
  world.status.now = ago(0)
  if (world.status.operator) world.status.locks_at = ahead(600)
  return world.status
}

function unlock(world: World, name: string) {
  world.status.operator = world.operators.find((one) => one.name === name) ?? null
  return status(world)
}

export const statusHandlers: Handlers = {
  status,
  touch: status,
  lock: (world) => {
    world.status.operator = null
    world.status.locks_at = null
    changed('status')
    return world.status
  },
  unlock: (world, { passphrase }) => {
    if (passphrase !== world.passphrase) throw new IpcError('wrong_passphrase', 'This is not the passphrase that seals the signing key. Try again.', correlation())
    return unlock(world, 'Ada Lindgren')
  },
  first_run: (world, { name, passphrase, starter }) => {
    const made = makeWorld(starter ? 'typical' : 'empty')
    Object.assign(world, { tenants: starter ? made.tenants.slice(0, 1) : [], passphrase })
    world.status = { ...world.status, phase: 'ready', policy_version: 1 }
    world.operators = [makeOperator(name, 'owner', ago(0))]
    return unlock(world, name)
  },
  starter_load: (world) => {
    const made = makeWorld('typical').tenants[0]
    if (!made) throw missing('starter')
    world.tenants.push(made)
    return made.view
  },
  registry_accept: (world) => {
    if (world.status.doubt === null) throw new IpcError('conflict', 'There is nothing to accept: the registry is in order.', correlation())
    world.status.doubt = null
    world.status.gateway = { ...world.status.gateway, state: 'serving', problem: null }
    changed('status')
    return null
  },
  starter_remove: (world) => {
    world.tenants = world.tenants.filter((tenant) => !tenant.view.starter)
    return null
  },
  serving_show: (world) => world.serving,
  serving_set: (world, { settings }) => {
    if (settings.listen.endsWith(':80')) throw new IpcError('unavailable', `Nothing changed: ${settings.listen} cannot be had, the system keeps it to itself. Choose a port above 1023.`, correlation(), 'listen')
    world.serving = served(settings)
    world.status.gateway = gatewayOf(world.serving, world.status.gateway)
    changed('status')
    return world.serving
  },
  tenant_list: (world) => world.tenants.map((tenant) => (recount(tenant), tenant.view)),
  tenant_create: (world, { name }) => {
    if (world.tenants.some((tenant) => tenant.view.name === name)) throw new IpcError('conflict', `A tenant named ${name} exists already.`, correlation(), 'name')
    const fresh = makeWorld('empty').tenants[0]
    if (!fresh) throw missing('tenant')
    fresh.view = { ...fresh.view, name, starter: false, created: ago(0) }
    world.tenants.push(fresh)
    return fresh.view
  },
  tenant_set_standing: (world, { tenant, standing }) => {
    const { view } = tenantOf(world, tenant)
    view.standing = standing
    return view
  },
  overview: (world, { tenant }) => {
    const found = tenantOf(world, tenant)
    const busy = found.agents.length > 0
    return {
      status: status(world),
      anomalies: world.audit.filter((row) => row.decision === 'deny' && row.tenant === tenant).slice(0, 8),
      alerts: world.alerts.filter((one) => one.state === 'open' && (one.tenant === tenant || one.tenant === null)).slice(0, 8),
      waiting: world.approvals.map((one) => one.row).filter((row) => row.state === 'pending' && row.tenant === tenant).slice(0, 8),
      servers: found.servers.slice(0, 12),
      hours: Array.from({ length: 24 }, (_, at) => {
        const shape = busy ? Math.round(30 + 26 * Math.sin((at - 6) / 3.6) + ((at * 7) % 11)) : 0
        return { from: ago((24 - at) * 3_600), allow: Math.max(0, shape), hold: busy ? (at * 5) % 4 : 0, deny: busy ? (at * 3) % 9 : 0 }
      }),
      counts: { agents: found.agents.length, tools: found.tools.length, tasks: found.tasks.length, live_sessions: found.sessions.filter((one) => one.state === 'live').length },
    }
  },
}

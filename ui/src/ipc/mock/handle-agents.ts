import { IpcError } from '../failure'
import type { AgentView, CredentialId, CredentialView, RoleId, TaskId } from '../generated'
import type { Handlers } from './backend'
import { ago, ahead, correlation, id } from './clock'
import { enforce } from './handle-policy'
import { changed, missing, tenantOf } from './handle-status'
import { makeAgent, type Tenant, type World } from './world'

function agentOf(tenant: Tenant, agent: string): AgentView {
  const found = tenant.agents.find((one) => one.id === agent)
  if (!found) throw missing('agent')
  return found
}

export function credentialOf(world: World, tenant: string, credential: CredentialId): CredentialView {
  const found = tenantOf(world, tenant).agents.flatMap((agent) => agent.credentials).find((one) => one.id === credential)
  if (!found) throw missing('credential')
  return found
}

function assign(tenant: Tenant, agent: AgentView, roles: RoleId[], tasks: TaskId[]): AgentView {
  agent.roles = tenant.roles.filter((role) => roles.includes(role.id))
  agent.tasks = tenant.tasks.filter((task) => tasks.includes(task.id)).map((task) => ({ id: task.id, name: task.name }))
  for (const task of tenant.tasks) {
    task.agents = task.agents.filter((one) => one.id !== agent.id)
    if (tasks.includes(task.id)) task.agents.push({ id: agent.id, name: agent.name })
  }
  return agent
}

export const agentHandlers: Handlers = {
  agent_list: (world, { tenant }) => tenantOf(world, tenant).agents,
  agent_create: (world, { tenant, name, roles, tasks }) => {
    const found = tenantOf(world, tenant)
    if (found.agents.some((agent) => agent.name === name)) throw new IpcError('conflict', `An agent named ${name} exists already.`, correlation(), 'name')
    const agent = makeAgent(name, [], [])
    found.agents.push(agent)
    enforce(world)
    return assign(found, agent, roles, tasks)
  },
  agent_update: (world, { tenant, agent, roles, tasks }) => {
    const found = tenantOf(world, tenant)
    enforce(world)
    return assign(found, agentOf(found, agent), roles, tasks)
  },
  agent_set_rate: (world, { tenant, agent, rate }) => {
    enforce(world)
    return Object.assign(agentOf(tenantOf(world, tenant), agent), { rate: rate ?? null })
  },
  agent_set_waiting: (world, { tenant, agent, most }) => {
    enforce(world)
    return Object.assign(agentOf(tenantOf(world, tenant), agent), { most_waiting: most ?? null })
  },
  agent_pause: (world, { tenant, agent }) => {
    for (const one of world.approvals) if (one.agent === agent && one.row.state === 'pending') one.row.state = 'withdrawn'
    enforce(world)
    changed('approvals')
    return Object.assign(agentOf(tenantOf(world, tenant), agent), { standing: 'suspended' as const })
  },
  agent_set_standing: (world, { tenant, agent, standing }) => Object.assign(agentOf(tenantOf(world, tenant), agent), { standing }),
  agent_remove: (world, { tenant, agent }) => {
    const found = tenantOf(world, tenant)
    found.agents = found.agents.filter((one) => one.id !== agent)
    return enforce(world)
  },
  credential_issue: (world, { tenant, agent, lifetime_secs, task, tasks, networks }) => {
    const found = tenantOf(world, tenant)
    const owner = agentOf(found, agent)
    const keyId = `csk_${found.view.name}_${id('x').slice(2, 14)}`
    const expires = ahead(lifetime_secs ?? 259_200)
    const credential: CredentialView = { id: id('crd'), agent: owner.id, kind: 'api_key', key_id: keyId, state: 'active', created: ago(0), expires, last_used: null, last_from: null, networks: networks ?? [], tasks: tasks ? owner.tasks.filter((one) => tasks.includes(one.id)) : null, proof: { kind: 'api_key' } }
    owner.credentials.push(credential)
    const taskName = found.tasks.find((one) => one.id === task)?.name
    const endpoint = `${world.status.gateway.url}/t/${found.view.name}${taskName ? `/task/${taskName}` : ''}/mcp`
    const secret = `css_${id('x').slice(2)}${id('x').slice(2, 13)}`
    return {
      credential: credential.id, key_id: keyId, secret, expires, endpoint,
      configurations: [
        {
          title: 'Any stdio client', hint: 'Put this into the client’s list of MCP servers. The bridge signs each request; the secret is read from a file that only you can read.', language: 'json',
          text: JSON.stringify({ mcpServers: { countersign: { command: 'countersign', args: ['connect', endpoint, '--key-id', keyId, '--secret-file', '~/.config/countersign/agent.key'] } } }, null, 2),
        },
        { title: 'Store the secret', hint: 'Run this once on the agent’s machine; it asks for the secret.', language: 'shell', text: 'install -m 600 /dev/stdin ~/.config/countersign/agent.key' },
      ],
    }
  },
  credential_revoke: (world, { tenant, credential }) => Object.assign(credentialOf(world, tenant, credential), { state: 'revoked' as const }),
  credential_release: (world, { tenant, credential }) => Object.assign(credentialOf(world, tenant, credential), { state: 'active' as const }),
  credential_list: (world, { tenant }) => tenantOf(world, tenant).agents.flatMap((agent) => agent.credentials),
  session_list: (world, { tenant, live_only }) => {
    const found = tenantOf(world, tenant)
    const rank = { deny: 0, token: 1, allow: 2 }
    return found.sessions.filter((session) => !live_only || session.state === 'live').map((session) => {
      const roles = found.agents.find((one) => one.id === session.agent)?.roles ?? []
      const now = (tool: string) => roles.map((role) => found.grants.get(`${tool}/${role.id}`) ?? ('deny' as const)).sort((a, b) => rank[b] - rank[a])[0] ?? 'deny'
      const state = found.agents.flatMap((agent) => agent.credentials).find((one) => one.id === session.credential)?.state ?? null
      const tools = session.tools.map((tool) => (session.state !== 'live' || rank[now(tool.tool)] >= rank[tool.grant] ? tool : { ...tool, now: now(tool.tool), why: now(tool.tool) === 'deny' ? 'None of the agent\u2019s roles grants the tool.' : null }))
      return { ...session, credential_state: state, tools }
    })
  },
  session_end: (world, { tenant, session }) => {
    const found = tenantOf(world, tenant).sessions.find((one) => one.id === session)
    if (!found) throw missing('session')
    credentialOf(world, tenant, found.credential).state = 'suspended'
    return Object.assign(found, { state: 'operator' as const, ended: ago(0) })
  },
}

import { IpcError } from '../failure'
import type { DiscoveredTool, Enforced, ServerDetail, ServerId, ToolView } from '../generated'
import type { Handlers } from './backend'
import { ago, correlation, digest, id } from './clock'
import { changed, missing, tenantOf } from './handle-status'
import { definitionOf, furnishings, workbench, type Sample } from './tools'
import { addServer, recount, type Tenant, type World } from './world'

export function enforce(world: World): Enforced {
  world.status.policy_version += 1
  changed('status')
  return { policy_version: world.status.policy_version, enforced_at: ago(0) }
}

const toolView = (tenant: Tenant, tool: ToolView): ToolView => ({
  ...tool,
  grants: tenant.roles.map((role) => ({ role: role.id, role_name: role.name, grant: tenant.grants.get(`${tool.id}/${role.id}`) ?? 'deny' })),
})

/** The last lines of a program: what programs write, and what those write who mean ill. */
function written(long: boolean): string[] {
  const lines = ['workbench: sandbox folder is ready', 'workbench: opened sample.db, 240 rows', 'workbench: \u001b[31mtool list was asked for\u001b[0m']
  if (!long) return lines
  const more = Array.from({ length: 190 }, (_, at) => `2026-11-21T09:${String(at % 60).padStart(2, '0')}:07.114Z INFO workbench::server request served method=tools/call tool=read_file path=/home/ada/.local/share/countersign/workbench/reports/2026/q4/summary-${at}.md bytes=${at * 977} took=${at % 13}ms`)
  return [...lines, ...more, 'thread \'main\' panicked at src/db.rs:88:14:', '\tcalled `Result::unwrap()` on an `Err` value: SqliteFailure(Error { code: DatabaseBusy, extended_code: 5 }, Some("database is locked"))', '']
}

function detailOf(tenant: Tenant, server: ServerId): ServerDetail {
  recount(tenant)
  const found = tenant.servers.find((one) => one.id === server)
  if (!found) throw missing('server')
  return {
    server: found,
    tools: tenant.tools.filter((tool) => tool.server === server).map((tool) => toolView(tenant, tool)),
    stderr: found.transport.kind === 'stdio' ? written(tenant.servers.length > 1) : [],
    origin: tenant.origins.get(server) ?? null,
  }
}

const discovered = (sample: Sample, known: DiscoveredTool['known']): DiscoveredTool => ({
  kind: sample.kind ?? 'tool', name: sample.name, title: sample.title, description: sample.description, definition: definitionOf(sample), fingerprint: digest(), claims: sample.claims,
  suggested: sample.claims.read_only ? 'allow' : sample.claims.destructive ? 'token' : 'deny', known,
  problem: sample.name === 'modify_mcp_config' ? 'a pattern in its input schema could take forever' : null,
})

export const policyHandlers: Handlers = {
  role_create: (world, { tenant, name }) => {
    const found = tenantOf(world, tenant)
    if (found.roles.some((role) => role.name === name)) throw new IpcError('conflict', `A role named ${name} exists already.`, correlation(), 'name')
    found.roles.push({ id: id('rol'), name })
    return enforce(world)
  },
  role_remove: (world, { tenant, role }) => {
    const found = tenantOf(world, tenant)
    found.roles = found.roles.filter((one) => one.id !== role)
    for (const agent of found.agents) agent.roles = agent.roles.filter((one) => one.id !== role)
    return enforce(world)
  },
  matrix: (world, { tenant }) => {
    const found = tenantOf(world, tenant)
    return {
      policy_version: world.status.policy_version,
      roles: found.roles.map((role) => ({ ...role, agents: found.agents.filter((agent) => agent.roles.some((one) => one.id === role.id)).length })),
      servers: found.servers.map(({ id: server, name, enabled }) => ({ id: server, name, enabled })),
      tools: found.tools.map((tool) => ({ id: tool.id, server: tool.server, kind: tool.kind, name: tool.name, title: tool.title, description: tool.description, enabled: tool.enabled, drifted: tool.drift !== null, last_used: tool.last_used })),
      cells: found.tools.map((tool) => found.roles.map((role) => found.grants.get(`${tool.id}/${role.id}`) ?? 'deny')),
      conditions: [...found.conditions].map(([key, condition]) => {
        const [tool, role] = key.split('/')
        return { tool: tool as never, role: role as never, condition }
      }),
      tasks: found.tasks.map(({ id: task, name, tools }) => ({ id: task, name, tools })),
    }
  },
  matrix_set: (world, { tenant, changes, base_version }) => {
    const found = tenantOf(world, tenant)
    if (base_version !== world.status.policy_version) {
      throw new IpcError('stale', `Version ${world.status.policy_version} is in force by now. The matrix shows it: look, then change it again.`, correlation())
    }
    for (const { tool, role, grant, condition } of changes) {
      found.grants.set(`${tool}/${role}`, grant)
      if (condition) found.conditions.set(`${tool}/${role}`, condition)
      else found.conditions.delete(`${tool}/${role}`)
    }
    return enforce(world)
  },
  matrix_cell: (world, { tenant, role, tool }) => {
    const found = tenantOf(world, tenant)
    const view = found.tools.find((one) => one.id === tool)
    if (!view) throw missing('tool')
    const grant = found.grants.get(`${tool}/${role}`) ?? 'deny'
    const callers = grant === 'deny' ? [] : found.agents
      .filter((agent) => agent.roles.some((one) => one.id === role))
      .flatMap((agent) => agent.tasks.filter((task) => found.tasks.find((one) => one.id === task.id)?.tools.includes(tool))
        .map((task) => ({ agent: agent.id, agent_name: agent.name, task: task.id, task_name: task.name, grant })))
    return { grant, condition: found.conditions.get(`${tool}/${role}`) ?? null, callers: callers.slice(0, 20), tool: toolView(found, view), recent: world.audit.filter((row) => row.tool === view.name).slice(0, 5), live_sessions: callers.length > 0 ? 1 : 0 }
  },
  task_list: (world, { tenant }) => tenantOf(world, tenant).tasks,
  task_create: (world, { tenant, name, tools, expected_secs, longest_secs }) => {
    const task = { id: id('tsk') as never, name, tools, expected_secs, longest_secs, agents: [], live_sessions: 0 }
    tenantOf(world, tenant).tasks.push(task)
    enforce(world)
    return task
  },
  task_update: (world, { tenant, task, tools, expected_secs, longest_secs }) => {
    const found = tenantOf(world, tenant).tasks.find((one) => one.id === task)
    if (!found) throw missing('task')
    enforce(world)
    return Object.assign(found, { tools, expected_secs, longest_secs })
  },
  task_remove: (world, { tenant, task }) => {
    const found = tenantOf(world, tenant)
    found.tasks = found.tasks.filter((one) => one.id !== task)
    return enforce(world)
  },
  server_list: (world, { tenant }) => {
    const found = tenantOf(world, tenant)
    recount(found)
    return found.servers
  },
  server_detail: (world, { tenant, server }) => detailOf(tenantOf(world, tenant), server),
  server_probe: (_, { transport }) => {
    if (transport.kind === 'stdio' && transport.command.includes('nothing')) {
      throw new IpcError('upstream', `Starting ${transport.command} failed: there is no such program. Check the command and the folder.`, correlation())
    }
    return [...workbench, ...furnishings].map((sample) => discovered(sample, 'new'))
  },
  server_create: (world, { tenant, name, transport, tools }) => {
    const found = tenantOf(world, tenant)
    const server = addServer(found, name, [...workbench, ...furnishings].filter((sample) => tools.some((tool) => tool.name === sample.name)))
    server.transport = transport
    for (const tool of found.tools) {
      if (tool.server !== server.id) continue
      tool.enabled = tools.find((one) => one.name === tool.name)?.enabled ?? false
      for (const role of found.roles) found.grants.delete(`${tool.id}/${role.id}`)
    }
    enforce(world)
    return detailOf(found, server.id)
  },
  server_discover: (world, { tenant, server }) => {
    const found = tenantOf(world, tenant)
    return found.tools.filter((tool) => tool.server === server).map((tool) => {
      const sample = { kind: tool.kind, name: tool.name, title: tool.title, description: tool.description, properties: {}, claims: tool.claims, grants: ['deny', 'deny', 'deny', 'deny'] as const }
      return { ...discovered({ ...sample, grants: [...sample.grants] }, tool.drift === null ? 'same' : 'changed'), definition: tool.drift ?? tool.definition }
    })
  },
  server_accept: (world, { tenant, server, tools }) => {
    const found = tenantOf(world, tenant)
    for (const { name, fingerprint } of tools) {
      const tool = found.tools.find((one) => one.server === server && one.name === name)
      if (tool?.drift) Object.assign(tool, { definition: tool.drift, drift: null, fingerprint })
    }
    enforce(world)
    return detailOf(found, server)
  },
  server_set_enabled: (world, { tenant, server, enabled }) => {
    const { server: view } = detailOf(tenantOf(world, tenant), server)
    view.enabled = enabled
    enforce(world)
    return view
  },
  server_set_passes: (world, { tenant, server, passes }) => {
    const { server: view } = detailOf(tenantOf(world, tenant), server)
    view.passes = passes
    enforce(world)
    return view
  },
  server_restart: (world, { tenant, server }) => {
    const { server: view } = detailOf(tenantOf(world, tenant), server)
    return Object.assign(view, { restarts: view.restarts + 1, health: 'ready' as const, problem: null })
  },
  server_remove: (world, { tenant, server }) => {
    const found = tenantOf(world, tenant)
    found.servers = found.servers.filter((one) => one.id !== server)
    found.tools = found.tools.filter((one) => one.server !== server)
    return enforce(world)
  },
  tool_set_enabled: (world, { tenant, tools, enabled }) => {
    for (const tool of tenantOf(world, tenant).tools) if (tools.includes(tool.id)) tool.enabled = enabled
    return enforce(world)
  },
  tenant_secret_list: (world, { tenant }) => tenantOf(world, tenant).secrets,
  tenant_secret_set: (world, { tenant, name }) => {
    const found = tenantOf(world, tenant)
    if (!found.secrets.includes(name)) found.secrets.push(name)
    return null
  },
}

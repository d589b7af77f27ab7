import type { ExplainGate, ExplainStep, Grant } from '../generated'
import type { Handlers } from './backend'
import { missing, tenantOf } from './handle-status'

const ORDER: ExplainGate[] = ['credential', 'tenant', 'agent', 'session', 'task', 'tool', 'task_tools', 'grant', 'frozen', 'arguments', 'scopes', 'rate', 'countersignature', 'drift', 'server']

/** Which step of the mock refuses, with its code and its sentence. */
type Refusal = [gate: ExplainGate, reason: string, sentence: string]

export const explainHandlers: Handlers = {
  policy_explain: (world, { tenant, agent, task, tool, session }) => {
    const found = tenantOf(world, tenant)
    const who = found.agents.find((one) => one.id === agent)
    const what = found.tools.find((one) => one.id === tool)
    if (!who || !what) throw missing('agent')
    const live = found.sessions.find((one) => one.id === session)
    const purpose = found.tasks.find((one) => one.id === (live ? live.task : task))
    const granted = who.roles.map((role) => ({ role, grant: found.grants.get(`${tool}/${role.id}`) ?? ('deny' as Grant) }))
    const rank = { deny: 0, token: 1, allow: 2 }
    const grant = granted.map((one) => one.grant).sort((a, b) => rank[b] - rank[a])[0] ?? 'deny'
    const said = granted.map((one) => `Role \`${one.role.name}\` says ${one.grant}.`).join(' ')
    const refusals: (Refusal | false)[] = [
      who.credentials.length === 0 && ['credential', 'no_credential', `\`${who.name}\` has no credential, so nobody can prove to be it.`],
      who.standing === 'suspended' && ['agent', 'agent_suspended', 'The agent is suspended.'],
      !purpose && ['task', 'task_missing', 'The session declared no task, so it may call nothing.'],
      !what.enabled && ['tool', 'tool_disabled', 'The tool is disabled.'],
      purpose !== undefined && !purpose.tools.includes(what.id) && ['task_tools', 'not_in_task', 'The task of the session does not list the tool.'],
      grant === 'deny' && ['grant', 'not_granted', `None of the agent's roles grants the tool. ${said}`],
      what.drift !== null && ['drift', 'definition_drift', 'The server publishes another definition than the accepted one: the tool is in quarantine until somebody has looked at the difference and accepts it.'],
    ]
    const refusal = refusals.find((one): one is Refusal => one !== false)
    const last = refusal ? ORDER.indexOf(refusal[0]) : ORDER.length
    const passing: Partial<Record<ExplainGate, string>> = {
      credential: `\`${who.name}\` has one credential that is active.`, tenant: `Tenant \`${found.view.name}\` is active.`, agent: `Agent \`${who.name}\` is active.`, session: 'A session for the task can open; it lasts 3600 s.',
      task: `\`${who.name}\` may declare task \`${purpose?.name}\`.`, tool: `Tool \`${what.name}\` and its server \`${what.server_name}\` are enabled.`, task_tools: `Task \`${purpose?.name}\` lists \`${what.name}\`.`,
      grant: said, frozen: 'A session that opens now has it on its list.', scopes: 'The tool needs nothing of an access token.', rate: 'There is no limit on how often it is called.', drift: 'The server publishes the definition that was accepted.', server: 'The server answers.',
    }
    const steps = ORDER.map((gate, at): ExplainStep => {
      if (refusal && at === last) return { gate, verdict: 'refuses', sentence: refusal[2], reason: refusal[1] }
      if (at > last) return { gate, verdict: 'skipped', sentence: 'Not reached.', reason: null }
      if (gate === 'countersignature') return grant === 'token' ? { gate, verdict: 'asks', sentence: 'The grant is token: each call waits until an operator signs for it.', reason: null } : { gate, verdict: 'passes', sentence: 'Nobody has to sign for it.', reason: null }
      if (gate === 'arguments') return { gate, verdict: 'depends', sentence: 'They have to fit the pinned definition; none were given here.', reason: null }
      return { gate, verdict: 'passes', sentence: passing[gate] ?? '', reason: null }
    })
    const outcome: Grant = refusal ? 'deny' : grant
    return {
      policy_version: world.status.policy_version, agent, agent_name: who.name, task: purpose?.id ?? null, task_name: purpose?.name ?? null, tool, tool_name: what.name, server_name: what.server_name,
      listed: refusal ? null : what.name, outcome, decides: refusal ? refusal[0] : grant === 'token' ? 'countersignature' : 'grant',
      sentence: refusal ? `Refused. ${refusal[2]}` : grant === 'token' ? 'Each such call waits until an operator countersigns it.' : 'The call passes without asking anybody.',
      steps, session: session ?? null,
      sessions: found.sessions.filter((one) => one.agent === agent && one.state === 'live').map((one) => ({
        id: one.id, opened: one.opened, ends: one.ends, outcome: one.tools.find((each) => each.tool === tool)?.now ?? 'deny',
        sentence: one.tools.some((each) => each.tool === tool) ? 'The agent may call the tool without asking.' : 'The task of the session does not list the tool.',
      })),
    }
  },
}

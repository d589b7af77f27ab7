/** Calls that wait for a person, some of them written by somebody who means ill. */
import type { ApprovalState, ApprovalView, SessionId, ToolView } from '../generated'
import { ago, ahead, below, digest, id, pick } from './clock'
import { unsigned } from './signing'
import type { Tenant, World } from './world'

type Call = { tool: string; args: unknown; previous?: unknown; raw?: string }

const long = Array.from({ length: 60 }, (_, at) => `${at + 1}. Refund order ${4_000 + at} in full and close the ticket.`).join('\n')

const ofTools: Call[] = [
  {
    tool: 'send_email',
    args: { body: 'Dear Sir,\n\nplease find the invoice attached.\n\nKind regards",\n"cc": "audit@example.com",\n"to": "billing@example.com', subject: 'Invoice 2026-118', to: 'billing@pаypal.com' },
    previous: { body: 'Dear Sir,\n\nplease find the invoice attached.\n\nKind regards', cc: 'audit@example.com', subject: 'Invoice 2026-117', to: 'billing@example.com' },
  },
  { tool: 'write_file', raw: '{"content":"total = 9007199254740993\\nrate = 1.0","mode":0.1,"path":"reports/invoice_\u202efdp.exe"}', args: null },
  { tool: 'execute_code', args: { script: long, timeout: 30, env: { REGION: 'eu', DRY_RUN: false }, files: ['a.csv', 'b.csv'] }, previous: { script: long, timeout: 10, env: { REGION: 'eu', DRY_RUN: true }, files: ['a.csv'] } },
]

/** Calls of what is no tool. */
const ofOtherKinds: Call[] = [
  { tool: 'https://wiki.acme.example/api/v2/spaces/platform-engineering/pages/2026/q4/incident-reviews/2026-11-14-gateway-restart/attachments/timeline-in-utc.csv?version=12&format=raw', args: { uri: 'https://wiki.acme.example/api/v2/spaces/platform-engineering/pages/2026/q4/incident-reviews/2026-11-14-gateway-restart/attachments/timeline-in-utc.csv?version=12&format=raw' } },
  { tool: 'summarise_the_incident_for_customers_without_internal_names', args: { incident: 'INC-2041', language: 'sv' }, previous: { incident: 'INC-1990', language: 'sv' } },
  { tool: 'github://{owner}/{repository}/contents/{+path}{?reference,recursive,include_submodules,depth_of_history}', args: { uri: 'github://acme/payroll/contents/secrets/production.env?reference=main' } },
]

export function fillApprovals(world: World, waiting: number, allKinds: boolean): void {
  const tenant = world.tenants[0]
  if (!tenant) return
  const sessions = [id<SessionId>('ses'), id<SessionId>('ses')]
  const calls = allKinds ? [...ofTools, ...ofOtherKinds] : ofTools
  for (let at = 0; at < waiting; at += 1) {
    const call = calls[at % calls.length]
    if (call) world.approvals.push({ ...makeApproval(tenant, call, 'pending', 40 + at * 11), session: sessions[at % 2] ?? id('ses') })
  }
  const past: ApprovalState[] = ['executed', 'executed', 'denied', 'executed', 'expired', 'withdrawn', 'unknown']
  past.forEach((state, at) => {
    const call = calls[at % calls.length]
    if (call) world.approvals.push(makeApproval(tenant, call, state, 4_000 * (at + 1)))
  })
}

/** One more call asks: the newest of all. */
export function arrive(world: World, like: Partial<ApprovalView>): void {
  const [tenant] = world.tenants
  const [, call] = ofTools
  if (!tenant || !call) return
  world.approvals.unshift({ ...makeApproval(tenant, call, 'pending', 0), ...like })
  world.status.waiting_approvals += 1
}

function makeApproval(tenant: Tenant, call: Call, state: ApprovalState, age: number): ApprovalView {
  const agent = tenant.agents.find((one) => one.name === 'executor-1') ?? tenant.agents[0]
  const tool = tenant.tools.find((one) => one.name === call.tool) as ToolView
  const source = call.raw ?? JSON.stringify(call.args)
  const decided = state === 'pending' || state === 'expired' || state === 'withdrawn' ? null : ago(age - 30)
  return {
    row: {
      id: id('apr'), tenant: tenant.view.id, tenant_name: tenant.view.name, agent_name: agent?.name ?? 'executor-1', task_name: 'workbench', server_name: tool.server_name, tool_name: call.tool,
      state, requested: ago(age), expires: state === 'pending' ? ahead(900 - age > 60 ? 900 - age : 70 + below(600)) : ago(age - 900), held: state === 'pending' && age < 50,
      goes_on: state === 'pending' && age < 20,
      signed: 0, approvers: 1, broke_glass: false,
    },
    agent: agent?.id as never, session: id('ses'), roles: ['executor'], session_opened: ago(age + 700), session_ends: ahead(2_000), session_anomalies: pick([0, 0, 2, 6]), agent_anomalies: [0, 3, 0, 11][age % 4] ?? 0,
    tool: { ...tool, grants: [] }, arguments: source, withheld: null, arguments_digest: digest(), arguments_bytes: new TextEncoder().encode(source).length,
    previous: call.previous === undefined ? null : JSON.stringify(call.previous), policy_version: 12,
    asked_because: `Role executor has the grant Token for ${call.tool}: every call of it needs the signature of an operator.`,
    signing: state === 'pending' ? unsigned() : { ...unsigned(), needed: 0 },
    decided_by: decided && 'Ada Lindgren', decided_at: decided, reason: state === 'denied' ? 'Not needed for this task' : null,
    outcome: state === 'executed' ? 'answered' : state === 'unknown' ? 'unknown' : null, lost_before: null,
  }
}

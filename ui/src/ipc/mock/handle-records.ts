import { IpcError } from '../failure'
import type { ApprovalId, ApprovalView, AuditRow } from '../generated'
import type { Handlers } from './backend'
import { ago, ahead, correlation, digest } from './clock'
import { changed, missing } from './handle-status'
import { signature } from './signing'
import { approvalStats } from './stats'
import type { World } from './world'

export function waiting(world: World, approval: string): ApprovalView {
  const found = world.approvals.find((one) => one.row.id === approval)
  if (!found) throw missing('approval request')
  if (found.row.state !== 'pending') throw new IpcError('conflict', 'Somebody has decided already. The card shows what.', correlation())
  return found
}

export function settle(world: World, view: ApprovalView, state: 'executed' | 'denied', reason: string | null): ApprovalView {
  Object.assign(view, { decided_by: world.status.operator?.name ?? null, decided_at: ago(0), reason, outcome: state === 'executed' ? 'answered' : null })
  view.row.state = state
  world.status.waiting_approvals -= 1
  changed('approvals', 'audit')
  return view
}

export const recordHandlers: Handlers = {
  approval_list: (world, { tenant, states }) =>
    world.approvals.map((one) => one.row).filter((row) => (!tenant || row.tenant === tenant) && (!states || states.includes(row.state))),
  approval_show: (world, { approval }) => {
    const found = world.approvals.find((one) => one.row.id === approval)
    if (!found) throw missing('approval request')
    if (world.status.operator?.role !== 'policy_editor') return found
    return { ...found, arguments: null, previous: null, withheld: 'The arguments are shown to those who may sign this call, to owners and to auditors. Others see that a call waits, and of which tool.' }
  },
  approval_approve: (world, { approval, shown, reason, passphrase, break_glass }) => {
    const found = waiting(world, approval)
    if (shown !== found.arguments_digest) throw new IpcError('stale', 'These are not the arguments that you were shown.', correlation())
    if (passphrase !== undefined && passphrase !== world.passphrase) throw new IpcError('wrong_passphrase', 'This is not the passphrase; try again.', correlation())
    const [signing, who] = [found.signing, world.status.operator]
    if (who) signing.signatures.push({ ...signature(who, reason ?? null, null, passphrase !== undefined), at: ago(0), breaks_glass: break_glass ?? false })
    signing.signed += 1
    found.row.signed = signing.signed
    if (!break_glass && signing.signed < signing.rule.approvers) {
      Object.assign(signing, { needed: signing.rule.approvers - signing.signed, you: { objection: 'you have signed it; it takes another operator', may_break_glass: true } })
      changed('approvals', 'audit')
      return found
    }
    signing.needed = 0
    found.row.broke_glass = break_glass ?? false
    return settle(world, found, 'executed', reason ?? null)
  },
  approval_deny: (world, { approval, reason }) => settle(world, waiting(world, approval), 'denied', reason),
  approval_issue: (world, { arguments: text, seconds, passphrase }) => {
    const like = world.approvals.find((one) => ['denied', 'expired', 'withdrawn'].includes(one.row.state))
    if (!like) throw missing('session')
    if (passphrase !== undefined && passphrase !== world.passphrase) throw new IpcError('wrong_passphrase', 'This is not the passphrase; try again.', correlation())
    const approval = structuredClone(like)
    approval.row = { ...approval.row, id: `${like.row.id}a` as ApprovalId, state: 'approved', requested: ago(0), expires: ahead(seconds ?? 120) }
    Object.assign(approval, { arguments: text, decided_by: world.status.operator?.name ?? null, decided_at: ago(0), reason: null })
    world.approvals.push(approval)
    changed('approvals', 'audit')
    return { approval, token: `eyJhbGciOiJFZERTQSIsInR5cCI6ImNvdW50ZXJzaWduLW9wK2p3dCJ9.${'Q29udGVudCBvZiB0aGUgbW9jay4'.repeat(16)}.c2lnbmF0dXJl` }
  },
  approval_deny_all: (world, { session, reason, end_session }) => {
    const all = world.approvals.filter((one) => one.session === session && one.row.state === 'pending')
    for (const one of all) settle(world, one, 'denied', reason)
    return { denied: all.length, session_ended: end_session ?? false }
  },
  approval_stats: (world, { tenant, by, days }) => approvalStats(world, tenant, by, days),
  approval_week: (world, { tenant }) => {
    if (world.approvals.length === 0 || (tenant && tenant !== world.tenants[0]?.view.id)) return { asked: 0, approved: 0, denied: 0, expired: 0, median_seconds: null, by_tool: [] }
    return {
      asked: 41, approved: 30, denied: 8, expired: 3, median_seconds: 47,
      by_tool: [
        { tool_name: 'send_email', server_name: 'workbench', asked: 19, approved: 19, denied: 0 },
        { tool_name: 'write_file', server_name: 'workbench', asked: 14, approved: 11, denied: 0 },
        { tool_name: 'execute_code', server_name: 'workbench', asked: 8, approved: 0, denied: 8 },
      ],
    }
  },
  audit_page: (world, { filter, before, limit }) => {
    const words = filter.text?.toLowerCase()
    const fits = (row: AuditRow) =>
      (!filter.tenant || row.tenant === filter.tenant) && (!filter.kinds || filter.kinds.includes(row.kind)) && (!filter.decision || row.decision === filter.decision) &&
      (!filter.session || row.session === filter.session) && (!filter.correlation || row.correlation === filter.correlation) &&
      (!filter.agent || world.tenants.some((tenant) => tenant.agents.some((agent) => agent.id === filter.agent && agent.name === row.who))) &&
      (!words || `${row.summary} ${row.tool ?? ''} ${row.reason ?? ''}`.toLowerCase().includes(words))
    const all = world.audit.filter(fits)
    const rows = all.filter((row) => before === undefined || row.seq < before).slice(0, limit)
    const last = rows.at(-1)
    return { rows, older: last && rows.length === limit ? last.seq : null, total: all.length }
  },
  audit_show: (world, { seq }) => {
    const row = world.audit.find((one) => one.seq === seq)
    if (!row) throw missing('event')
    const thread = row.correlation ? world.audit.filter((one) => one.correlation === row.correlation).reverse() : [row]
    const event = Object.fromEntries(Object.entries({ schema: 1, kind: row.kind, at: row.at, correlation: row.correlation, tenant: row.tenant, session: row.session, tool_name: row.tool, decision: row.decision, reason: row.reason, policy_version: row.policy_version, outcome: row.outcome, client: row.client, detail: row.summary }).filter(([, value]) => value !== null))
    return { row, event: JSON.stringify(event), previous_hash: digest(), thread }
  },
  audit_export: () => [],
  audit_verify: (world) => ({ events: world.audit.length, verified_to: world.audit.length, whole: true, problem: null, head: world.audit[0]?.hash ?? digest() }),
}

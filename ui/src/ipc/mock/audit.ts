/** A log that looks like a working day. */
import type { AuditRow, CorrelationId } from '../generated'
import { ago, below, chance, correlation, digest, pick } from './clock'
import type { World } from './world'

/** Why, who it claimed to be, from where. */
const failures: [reason: string, claimed: string, client: string][] = [
  ['signature_stale', 'csk_acme_2f0c91d7aa10', '127.0.0.1'], ['credential_unknown', 'csk_acme_deadbeef0000', '203.0.113.9'], ['token_expired', 'https://acme.okta.com/oauth2/default 0oa2f9k3x7QmLr5d7', '10.20.4.17'],
  ['audience_wrong', 'https://acme.okta.com/oauth2/default 0oa2f9k3x7QmLr5d7', '10.20.4.17'], ['no_credential', 'nobody', '2001:db8:20:0:9a1:4f77:21:3'],
  ['subject_unknown', `https://sso.example.com/realms/agents build-\u202erunner-${'0123456789'.repeat(9)}`, '198.51.100.23'], ['unexpected_authorization', 'csk_acme_2f0c91d7aa10', '127.0.0.1'],
]

export function fillAudit(world: World, count: number): void {
  const tenant = world.tenants[0]
  if (!tenant) return
  let seq = 0
  let age = count * 24
  let reference: CorrelationId | null = null
  for (; seq < count; age = Math.max(1, age - below(46))) {
    const agent = pick(tenant.agents)
    const tool = pick(tenant.tools.slice(0, 8))
    const put = (row: Partial<AuditRow> & Pick<AuditRow, 'kind' | 'summary'>) => {
      seq += 1
      world.audit.push(record(world, seq, age, { who: agent.name, correlation: reference, client: '127.0.0.1', ...row }))
    }
    reference = correlation()
    const dice = chance()
    const session = pick(tenant.sessions)?.id ?? null
    if (dice < 0.62) {
      put({ kind: 'decision', tool: tool.name, session, decision: 'allow', reason: 'granted', summary: `${agent.name} may call ${tool.name} for task workbench` })
      put({ kind: 'execution.finished', tool: tool.name, session, outcome: chance() < 0.95 ? 'answered' : 'failed', summary: `Server workbench answered ${tool.name} in ${below(400) + 3} ms` })
    } else if (dice < 0.76) {
      const wrong = pick(['delete_everything', 'access_secrets', 'modify_mcp_config', 'ignore_\u202epolicy'])
      put({ kind: 'decision', tool: wrong, session, decision: 'deny', reason: 'not_in_allowlist', summary: `${agent.name} tried ${wrong}, which is not in its allowlist` })
    } else if (dice < 0.84) {
      put({ kind: 'decision', tool: 'send_email', session, decision: 'hold', reason: 'needs_countersignature', summary: `${agent.name} asked to call send_email; the call waits for a person` })
      put({ kind: 'approval.requested', tool: 'send_email', session, summary: 'A person was asked about send_email' })
      put({ kind: 'approval.approved', who: 'Ada Lindgren', tool: 'send_email', session, summary: 'Ada Lindgren approved and signed send_email' })
    } else if (dice < 0.92) {
      put({ kind: 'session.opened', session, summary: `${agent.name} opened a session on task workbench with 5 tools` })
    } else if (dice < 0.96) {
      for (const [reason, who, client] of [pick(failures), pick(failures)]) {
        put({ kind: 'authn.failed', who, reason, client, summary: `A request was not accepted (${reason.replaceAll('_', ' ')})` })
      }
    } else {
      put({ kind: 'admin.changed', who: 'Ada Lindgren', client: null, summary: `Ada Lindgren set ${tool.name} for role executor to token` })
      put({ kind: 'policy.enforced', who: 'system', client: null, summary: `Policy version ${world.status.policy_version} is enforced` })
    }
  }
  world.audit.reverse()
}

export function record(world: World, seq: number, age: number, row: Partial<AuditRow> & Pick<AuditRow, 'kind' | 'summary'>): AuditRow {
  const tenant = world.tenants[0]
  return {
    seq, at: ago(age), tenant: tenant?.view.id ?? null, tenant_name: tenant?.view.name ?? null, who: 'system', session: null, tool: null, decision: null,
    reason: null, outcome: null, policy_version: world.status.policy_version, correlation: null, approval: null, client: null, hash: digest(), ...row,
  }
}

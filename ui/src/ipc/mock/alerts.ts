/** Alerts that look like a working week, and the rules as they come. */
import type { AlertClass, AlertRule, AlertRuleView, AlertView } from '../generated'
import { ago, below, correlation, id } from './clock'
import type { World } from './world'

type Of = Pick<AlertRuleView, 'class' | 'severity' | 'title' | 'sentence'> & Partial<AlertRuleView>

const limit = (value: number, least: number, most: number) => ({ value, default: value, least, most })
const of = (code: AlertClass, title: string, sentence: string, more: Partial<AlertRuleView> = {}): Of => ({ class: code, severity: 'alert', title, sentence, ...more })

const all: Record<AlertRule, Of> = {
  authn_failures: of('AL1', 'Repeated authentication failures', 'More than 3 authentication failures within 60 s from one agent identity', { threshold: limit(3, 1, 100), window_secs: limit(60, 10, 3600) }),
  clock_moved: of('AL4', 'The clock was set', 'The clock of the machine was set back, or far ahead', { everywhere: true }),
  credential_unused: of('AL1', 'Credential never used', 'A credential was not used within 15 days of its issue', { threshold: limit(15, 1, 365) }),
  glass_broken: of('AL2', 'Glass broken: an owner signed alone', 'An owner signs alone for a call that takes more signatures, or a group'),
  incident: of('AL2', 'Incident: many attempts in one session', '5 or more attempts outside the allowlist in one session', { severity: 'incident', threshold: limit(5, 2, 100), contain: false }),
  integrity_failed: of('AL4', 'The log or the registry is not what it was', 'A seal of the log does not hold, or the registry is not what it was', { severity: 'incident', everywhere: true }),
  outcome_unknown: of('AL4', 'Outcome of a call unknown', 'A signed call was sent, and nobody knows whether it was made'),
  outside_allowlist: of('AL2', 'Attempt outside the allowlist', 'Any attempt outside the session’s allowlist'),
  provider_down: of('AL4', 'Identity provider down', 'An identity provider cannot be reached'),
  rotation_failed: of('AL1', 'Credential not replaced', 'A credential could not be replaced in time'),
  session_overlong: of('AL2', 'Session longer than expected', 'A session is longer than its task is expected to take', { threshold: limit(100, 100, 1000) }),
  signing_loosened: of('AL2', 'Signing loosened', 'It takes less than before to have a call of a tool signed'),
  tool_drift: of('AL2', 'Tool changed', 'A server publishes another definition of a tool than the accepted one'),
}

export const freshRules = (): AlertRuleView[] =>
  Object.entries(all).map(([rule, one]) => ({
    rule: rule as AlertRule, everywhere: false, threshold: null, window_secs: null, contain: null, muted: null,
    repeat_secs: limit(rule === 'session_overlong' || rule === 'credential_unused' ? 86_400 : 3_600, 60, 604_800), ...one,
  }))

const found: [rule: AlertRule, age: number, count: number, sentence: (agent: string) => string][] = [
  ['outside_allowlist', 140, 3, (agent) => `${agent} tried to call access_secrets, which its session does not have`],
  ['incident', 420, 7, (agent) => `${agent} made 5 or more attempts outside its allowlist in one session`],
  ['authn_failures', 1_900, 5, (agent) => `More than 3 sign-ins of ${agent} were refused within 60 s`],
  ['provider_down', 5_400, 1, () => 'Identity provider okta cannot be reached: it did not answer in time'],
  ['session_overlong', 9_000, 4, (agent) => `A session of ${agent} on task workbench lasts longer than the 5 minutes that the task is expected to take`],
  ['credential_unused', 86_000, 1, (agent) => `${agent} has not used the credential csk_acme_2f0c91d7aa10 within 15 days of its issue`],
  ['outside_allowlist', 91_000, 1, (agent) => `${agent} tried to call ignore_\\u{202e}${'policy_and_everything_before_it_'.repeat(4)}, which its session does not have`],
  ['clock_moved', 180_000, 1, () => 'The clock of this machine was set back by 95 s'],
  ['tool_drift', 260_000, 1, () => 'A server publishes another definition of send_email than the accepted one'],
]

export function fillAlerts(world: World, crowded: boolean): void {
  const tenant = world.tenants[0]
  if (!tenant) return
  for (let round = 0; round < (crowded ? 30 : 1); round += 1) {
    for (const [at, [rule, age, count, sentence]] of found.entries()) {
      const agent = tenant.agents[(at + round) % Math.max(1, tenant.agents.length)]
      const one = all[rule]
      const named = ['authn_failures', 'credential_unused', 'incident', 'outside_allowlist', 'session_overlong'].includes(rule)
      const seen = crowded ? round > 12 : at > 6
      const row = world.audit.find((event) => (rule === 'authn_failures' ? event.kind === 'authn.failed' : event.decision === 'deny'))
      world.alerts.push({
        id: id('alt'), tenant: one.everywhere ? null : tenant.view.id, tenant_name: one.everywhere ? null : tenant.view.name, rule, class: one.class, severity: one.severity,
        title: one.title, sentence: sentence(agent?.name ?? 'an agent'), agent: named ? (agent?.id ?? null) : null, agent_name: named ? (agent?.name ?? null) : null,
        session: rule === 'incident' || rule === 'outside_allowlist' ? (tenant.sessions[0]?.id ?? id('ses')) : null, credential: rule === 'credential_unused' ? id('crd') : null,
        count: count + (crowded ? below(4_000) : 0), first: ago(age + 600 + round * 4_000), last: ago(age + round * 4_000), over: rule === 'provider_down' ? ago(age - 300) : null,
        contained: false, state: seen ? 'acknowledged' : 'open', acknowledged_by: seen ? 'Ada Lindgren' : null, at: seen ? ago(age - 100) : null,
        note: seen ? 'Known: the maintenance of that night.' : null, correlation: row?.correlation ?? correlation(),
      })
    }
  }
  recountAlerts(world)
}

export function recountAlerts(world: World): void {
  const open = world.alerts.filter((one) => one.state === 'open')
  Object.assign(world.status, { open_alerts: open.length, open_incidents: open.filter((one) => one.severity === 'incident').length })
}

export const alertOf = (world: World, alert: string): AlertView | undefined => world.alerts.find((one) => one.id === alert)

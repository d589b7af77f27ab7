import { IpcError } from '../failure'
import { alertOf, recountAlerts } from './alerts'
import type { Handlers } from './backend'
import { ago, correlation } from './clock'
import { changed, missing, tenantOf } from './handle-status'

export const alertHandlers: Handlers = {
  alert_list: (world, { tenant, state }) =>
    world.alerts.filter((one) => (!tenant || one.tenant === tenant || one.tenant === null) && (!state || one.state === state)),
  alert_show: (world, { alert }) => {
    const found = alertOf(world, alert)
    if (!found) throw missing('alert')
    const kind = found.rule === 'authn_failures' ? 'authn.failed' : 'decision'
    const byTime = ['credential_unused', 'session_overlong'].includes(found.rule)
    const events = byTime ? [] : world.audit.filter((row) => row.kind === kind && (kind !== 'decision' || row.decision === 'deny')).slice(0, Math.min(found.count, 5))
    return { alert: found, events }
  },
  alert_acknowledge: (world, { alert, note }) => {
    const found = alertOf(world, alert)
    if (!found) throw missing('alert')
    if (found.state === 'acknowledged') throw new IpcError('conflict', 'Somebody has acknowledged the alert already.', correlation())
    Object.assign(found, { state: 'acknowledged', note, at: ago(0), acknowledged_by: world.status.operator?.name ?? null })
    recountAlerts(world)
    changed('alerts')
    return found
  },
  alert_rules: (world) => world.rules,
  alert_rule_set: (world, { rule, threshold, window_secs, repeat_secs, contain, mute, unmute }) => {
    const found = world.rules.find((one) => one.rule === rule)
    if (!found) throw missing('rule')
    if (found.threshold && threshold !== undefined && threshold !== null) {
      found.sentence = found.sentence.replace(String(found.threshold.value), String(threshold))
      found.threshold.value = threshold
    }
    if (found.window_secs && window_secs !== undefined && window_secs !== null) found.window_secs.value = window_secs
    if (repeat_secs !== undefined && repeat_secs !== null) found.repeat_secs.value = repeat_secs
    if (found.contain !== null && contain !== undefined && contain !== null) found.contain = contain
    if (mute) found.muted = mute
    if (unmute) found.muted = null
    changed('alerts')
    return found
  },
  alert_metric: (world, { tenant, days }) => {
    const { agents } = tenantOf(world, tenant)
    const busy = agents.length > 0
    return {
      since: ago((days - 1) * 86_400),
      days: Array.from({ length: days }, (_, at) => ({ day: ago((days - 1 - at) * 86_400), sessions: busy ? 20 + ((at * 7) % 13) : 0, attempts: busy ? (at === days - 3 ? 31 : (at * 3) % 4) : 0 })),
      agents: agents.map((agent, at) => ({ agent: agent.id, agent_name: agent.name, sessions: 60 + ((at * 11) % 90), attempts: at === 0 ? 33 : (at * 5) % 7 })).sort((one, other) => other.attempts / other.sessions - one.attempts / one.sessions),
    }
  },
}

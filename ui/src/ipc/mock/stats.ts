/** How approving went in the sample world. */
import type { ApprovalFigures, ApprovalLine, ApprovalStats, Grant, StatsBy, Suggestion, TenantId } from '../generated'
import type { World } from './world'

const none: ApprovalFigures = { asked: 0, approved: 0, denied: 0, expired: 0, withdrawn: 0, median_seconds: null, p90_seconds: null }
const thresholds = { suggest_days: 30, least_approved: 20, least_denied: 5 }

const ofTools: [string, ApprovalFigures][] = [
  ['send_email', { asked: 40, approved: 40, denied: 0, expired: 0, withdrawn: 0, median_seconds: 3, p90_seconds: 9 }],
  ['write_file', { asked: 27, approved: 21, denied: 2, expired: 3, withdrawn: 1, median_seconds: 47, p90_seconds: 310 }],
  ['execute_code', { asked: 12, approved: 0, denied: 12, expired: 0, withdrawn: 0, median_seconds: 18, p90_seconds: 64 }],
]

const ofAgents: [string, ApprovalFigures][] = [
  ['executor-1', { asked: 71, approved: 58, denied: 10, expired: 2, withdrawn: 1, median_seconds: 14, p90_seconds: 122 }],
  ['admin-1', { asked: 8, approved: 3, denied: 4, expired: 1, withdrawn: 0, median_seconds: 95, p90_seconds: 402 }],
]

export function approvalStats(world: World, of: TenantId | undefined, by: StatsBy, days: number): ApprovalStats {
  const tenant = world.tenants[0]
  if (world.approvals.length === 0 || !tenant || (of && of !== tenant.view.id)) return { days, all: none, lines: [], suggestions: [], ...thresholds }
  const line = ([name, figures]: [string, ApprovalFigures]): ApprovalLine => ({ tenant_name: tenant.view.name, server_name: by === 'tool' ? 'workbench' : null, name, figures })
  const suggestion = (name: string, grant: Grant, decided: number, median: number, sentence: string): Suggestion[] => {
    const [tool, role] = [tenant.tools.find((one) => one.name === name), tenant.roles.find((one) => one.name === 'executor')]
    if (!tool || !role) return []
    return [{ tenant: tenant.view.id, tenant_name: tenant.view.name, role: role.id, role_name: role.name, tool: tool.id, tool_name: name, server_name: tool.server_name, grant, decided, median_seconds: median, sentence }]
  }
  return {
    days,
    all: { asked: 79, approved: 61, denied: 14, expired: 3, withdrawn: 1, median_seconds: 16, p90_seconds: 140 },
    lines: (by === 'tool' ? ofTools : ofAgents).map(line),
    suggestions: [
      ...suggestion('send_email', 'allow', 40, 3, 'approved 40 of 40 in the last 30 days, median 3 s: consider allow, or allow where the arguments are the usual ones and token otherwise'),
      ...suggestion('execute_code', 'deny', 12, 18, 'denied 12 of 12 in the last 30 days: consider deny'),
    ],
    ...thresholds,
  }
}

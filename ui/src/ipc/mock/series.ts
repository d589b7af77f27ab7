/** Series of approvals that run. */
import type { ApprovalView, SeriesView } from '../generated'
import { ago, ahead, id } from './clock'
import type { World } from './world'

const exact = (source: string) =>
  JSON.stringify({ additionalProperties: false, properties: Object.fromEntries(Object.entries(JSON.parse(source) as object).map(([name, value]) => [name, { const: value as unknown }])), required: Object.keys(JSON.parse(source) as object), type: 'object' })

export function makeSeries(view: ApprovalView, who: { id: SeriesView['operator']; name: string }, calls: number, secs: number, schema: string | undefined, reason: string | null): SeriesView {
  const { row } = view
  return {
    id: id('ser'), tenant: row.tenant, tenant_name: row.tenant_name, agent_name: row.agent_name, task_name: row.task_name, session: view.session, tool: view.tool.id, tool_name: row.tool_name, server_name: row.server_name,
    operator: who.id, operator_name: who.name, approval: row.id, schema: schema ?? exact(view.arguments ?? '{}'), calls, used: 0, signed: ago(0), expires: ahead(secs), reason, running: true, ended: null, fault: null, ended_by: null,
  }
}

/** One that does what it should, one whose operator may sign no more, and one with a schema of its own form. */
export function fillSeries(world: World): void {
  const [ada, first] = world.operators
  const view = world.approvals.find((one) => one.row.tool_name === 'write_file' && one.row.state === 'pending') ?? world.approvals[0]
  if (!view || !ada || !first) return
  const prefix = JSON.stringify({ additionalProperties: false, properties: { content: { type: 'string' }, mode: { maximum: 0.1, minimum: 0, type: 'number' }, path: { not: { pattern: '\\.\\.' }, pattern: '^reports/', type: 'string' } }, required: ['content', 'mode', 'path'], type: 'object' })
  const own = JSON.stringify({ anyOf: [{ required: ['path'] }, { maxProperties: 0 }] })
  world.series.push({ ...makeSeries(view, ada, 20, 540, prefix, 'Nightly reports, one after the other'), used: 7 })
  if (world.approvals.length > 20) {
    world.series.push({ ...makeSeries(view, first, 99, 60, own, null), used: 98, fault: 'only operators of group `finance` sign calls of this tool' })
  }
}

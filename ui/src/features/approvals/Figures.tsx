import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { DataTable, type Column } from '@/components/DataTable'
import { GrantMark } from '@/components/Grant'
import { Loaded } from '@/components/Loaded'
import { OneLine } from '@/components/OneLine'
import { Section } from '@/components/Page'
import { Untrusted } from '@/components/Untrusted'
import type { ApprovalFigures, ApprovalLine, ApprovalStats, StatsBy, Suggestion, TenantId } from '@/ipc/generated'
import { approvalStats } from '@/ipc/queries'
import { count, exactDuration } from '@/lib/format'
import css from './Approvals.module.css'

/** How approving went, by tool or by agent, and which grants that speaks for. It changes nothing. */
export function Figures({ tenant }: { tenant: TenantId | undefined }) {
  const [by, setBy] = useState<StatsBy>('tool')
  const [days, setDays] = useState('7')
  const query = useQuery(approvalStats(tenant, by, Number(days)))
  return (
    <Loaded query={query}>
      {(stats) => (
        <div className={css.week}>
          <Section
            title="How it went"
            aside={
              <span className="row">
                <SegmentedControl size="xs" aria-label="Over" transitionDuration={0} value={days} onChange={setDays} data={[{ value: '7', label: '7 days' }, { value: '30', label: '30 days' }]} />
                <SegmentedControl size="xs" aria-label="By" transitionDuration={0} value={by} onChange={(value) => setBy(value as StatsBy)} data={[{ value: 'tool', label: 'By tool' }, { value: 'agent', label: 'By agent' }]} />
              </span>
            }
          >
            <All figures={stats.all} />
            <DataTable label={by === 'tool' ? 'Approvals by tool' : 'Approvals by agent'} rows={stats.lines} columns={by === 'tool' ? ofTools : ofAgents} rowKey={(line) => `${line.tenant_name}/${line.server_name}/${line.name}`} empty="No call asked in this time." />
          </Section>
          <Suggestions stats={stats} />
        </div>
      )}
    </Loaded>
  )
}

const seconds = (value: number | null) => (value === null ? '–' : exactDuration(value))

function All({ figures }: { figures: ApprovalFigures }) {
  return (
    <dl className={css.figures}>
      <div><dt>Asked</dt><dd>{count(figures.asked)}</dd></div>
      <div><dt>Approved</dt><dd>{count(figures.approved)}</dd></div>
      <div><dt>Denied</dt><dd>{count(figures.denied)}</dd></div>
      <div><dt>Expired</dt><dd>{count(figures.expired)}</dd></div>
      <div><dt>Taken back</dt><dd>{count(figures.withdrawn)}</dd></div>
      <div><dt>Median time to decide</dt><dd>{seconds(figures.median_seconds)}</dd></div>
      <div><dt>9 of 10 within</dt><dd>{seconds(figures.p90_seconds)}</dd></div>
    </dl>
  )
}

const number = (id: keyof ApprovalFigures, title: string): Column<ApprovalLine> => ({ id, title, align: 'end', value: (line) => line.figures[id] ?? 0, cell: (line) => count(line.figures[id] ?? 0) })
const time = (id: 'median_seconds' | 'p90_seconds', title: string): Column<ApprovalLine> => ({ id, title, align: 'end', value: (line) => line.figures[id] ?? 0, cell: (line) => <span className="nowrap">{seconds(line.figures[id])}</span> })
const figures: Column<ApprovalLine>[] = [
  number('asked', 'Asked'), number('approved', 'Approved'), number('denied', 'Denied'), number('expired', 'Expired'), number('withdrawn', 'Taken back'), time('median_seconds', 'Median'), time('p90_seconds', '9 of 10'),
]
const ofTools: Column<ApprovalLine>[] = [
  { id: 'name', title: 'Tool', value: (line) => line.name, cell: (line) => <OneLine text={line.name} /> },
  { id: 'server', title: 'Server', value: (line) => line.server_name ?? '', cell: (line) => line.server_name },
  ...figures,
]
const ofAgents: Column<ApprovalLine>[] = [{ id: 'name', title: 'Agent', value: (line) => line.name, cell: (line) => line.name }, ...figures]

function Suggestions({ stats }: { stats: ApprovalStats }) {
  return (
    <Section title="Grants to think about">
      {stats.suggestions.length === 0 ? <p className="dim">None: no cell of the matrix that asks people got one answer only.</p> : (
        <ul className={css.suggestions}>
          {stats.suggestions.map((one) => <Suggested key={`${one.tenant}${one.role}${one.tool}`} one={one} />)}
        </ul>
      )}
      <p className="dim small">
        From the last {stats.suggest_days} days: allow where at least {stats.least_approved} calls of a cell were approved and none denied, and its tool asks for no more than one plain signature; deny where at least {stats.least_denied} were denied and none approved. Nothing is changed by itself.
      </p>
    </Section>
  )
}

function Suggested({ one }: { one: Suggestion }) {
  return (
    <li>
      <GrantMark grant={one.grant} />
      <span className="grow">
        <b>{one.role_name}</b> and <Untrusted text={one.tool_name} mono /> of {one.server_name}: {one.sentence}.
      </span>
      <Link className="nowrap" to="/t/$tenant/matrix" params={{ tenant: one.tenant_name }} search={{ tool: one.tool, role: one.role } as never}>Show the cell</Link>
    </li>
  )
}

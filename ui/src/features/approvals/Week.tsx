import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { GrantMark } from '@/components/Grant'
import { Loaded } from '@/components/Loaded'
import { Section } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import { Untrusted } from '@/components/Untrusted'
import type { ApprovalWeek, Grant, TenantId } from '@/ipc/generated'
import { approvalWeek } from '@/ipc/queries'
import { count, exactDuration } from '@/lib/format'
import css from './Approvals.module.css'

type ToolWeek = ApprovalWeek['by_tool'][number]
const ENOUGH = 5

/** Which grant a tool's week speaks for, if it speaks clearly. */
export function suggestion({ asked, approved, denied }: Pick<ToolWeek, 'asked' | 'approved' | 'denied'>): Grant | null {
  if (asked < ENOUGH) return null
  if (approved === asked) return 'allow'
  return denied === asked ? 'deny' : null
}

/** Nothing waits: how the last week went, and which grants it speaks for. */
export function Week({ tenant }: { tenant: TenantId | undefined }) {
  const here = useTenant()
  const query = useQuery(approvalWeek(tenant))
  return (
    <Loaded query={query}>
      {(week) => (
        <div className={css.week}>
          <div className="panel">
            <Empty title="Nothing waits for you" action={week.asked === 0 ? <Link to="/t/$tenant/matrix" params={{ tenant: here.name }}>Set a grant to Token</Link> : null}>
              {week.asked === 0
                ? 'When an agent calls a tool whose grant is Token, the call is held and appears here until you sign or deny it.'
                : 'This is how the last seven days went.'}
            </Empty>
          </div>
          {week.asked > 0 ? <Figures week={week} /> : null}
        </div>
      )}
    </Loaded>
  )
}

function Figures({ week }: { week: ApprovalWeek }) {
  const columns = useMemo(() => columnsWith(), [])
  return (
    <>
      <dl className={css.figures}>
        <div><dt>Asked</dt><dd>{count(week.asked)}</dd></div>
        <div><dt>Approved</dt><dd>{count(week.approved)}</dd></div>
        <div><dt>Denied</dt><dd>{count(week.denied)}</dd></div>
        <div><dt>Nobody decided</dt><dd>{count(week.expired)}</dd></div>
        <div><dt>Median time to decide</dt><dd>{week.median_seconds === null ? '–' : exactDuration(week.median_seconds)}</dd></div>
      </dl>
      <Section title="By tool">
        <DataTable label="Approvals by tool" rows={week.by_tool} columns={columns} rowKey={(tool) => `${tool.server_name}/${tool.tool_name}`} empty={null} />
      </Section>
    </>
  )
}

const columnsWith = (): Column<ToolWeek>[] => [
  { id: 'tool', title: 'Tool', value: (tool) => tool.tool_name, cell: (tool) => <Untrusted text={tool.tool_name} mono /> },
  { id: 'server', title: 'Server', value: (tool) => tool.server_name, cell: (tool) => tool.server_name },
  { id: 'asked', title: 'Asked', align: 'end', value: (tool) => tool.asked, cell: (tool) => count(tool.asked) },
  { id: 'approved', title: 'Approved', align: 'end', value: (tool) => tool.approved, cell: (tool) => count(tool.approved) },
  { id: 'denied', title: 'Denied', align: 'end', value: (tool) => tool.denied, cell: (tool) => count(tool.denied) },
  { id: 'hint', title: 'Speaks for', cell: (tool) => <Hint tool={tool} /> },
]

function Hint({ tool }: { tool: ToolWeek }) {
  const tenant = useTenant()
  const grant = suggestion(tool)
  if (!grant) return <span className="dim">no change</span>
  return (
    <span className="row">
      <GrantMark grant={grant} />
      <Link to="/t/$tenant/matrix" params={{ tenant: tenant.name }} search={{ q: tool.tool_name } as never}>in the matrix</Link>
    </span>
  )
}

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState, type Ref } from 'react'
import { Claims } from '@/components/Claims'
import { EventRow } from '@/components/EventRow'
import { GrantMark, grantMeaning } from '@/components/Grant'
import { JsonView } from '@/components/JsonView'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { useTenant } from '@/components/tenant'
import { ToolNeeds } from '@/components/ToolNeeds'
import { ToolProblem } from '@/components/ToolProblem'
import { Untrusted } from '@/components/Untrusted'
import type { CellView, ConditionView, Grant, MatrixTool, MatrixView } from '@/ipc/generated'
import { matrixCell } from '@/ipc/queries'
import { plural } from '@/lib/format'
import { kindLabel } from '@/lib/kinds'
import { CellCondition } from './CellCondition'
import css from './Matrix.module.css'
import { cellKey } from './sheet'

type Props = {
  ref: Ref<HTMLElement>
  tool: MatrixTool
  role: MatrixView['roles'][number]
  grant: Grant
  underway: ReadonlyMap<string, Grant>
  onSet: (grant: Grant, condition?: ConditionView) => void
  onLeave: () => void
}

const grantsInOrder: Grant[] = ['allow', 'token', 'deny']
const rank: Record<Grant, number> = { deny: 0, token: 1, allow: 2 }

/** The selected cell: who can call this now, what it is, what a change would do. */
export function CellPanel({ ref, tool, role, grant, underway, onSet, onLeave }: Props) {
  const tenant = useTenant()
  const query = useQuery(matrixCell(tenant.id, role.id, tool.id))
  const pending = underway.get(cellKey(tool.id, role.id))
  return (
    <aside ref={ref} className={`panel ${css.panel}`} tabIndex={-1} aria-label="Selected cell" onKeyDown={(event) => event.key === 'Escape' && onLeave()}>
      <header className="stack tight">
        <h2 className={css.panelTitle}><Untrusted text={tool.name} mono /></h2>
        <span className="dim">for role {role.name}</span>
      </header>
      <div className={css.choices} role="radiogroup" aria-label="Grant">
        {grantsInOrder.map((one) => (
          <button key={one} type="button" role="radio" aria-checked={(pending ?? grant) === one} className={css.choice} onClick={() => one !== (pending ?? grant) && onSet(one)}>
            <GrantMark grant={one} plain />
            <span className="dim small">{effect(one, grant, query.data)}</span>
          </button>
        ))}
      </div>
      {pending ? <span className="small" role="status">Being enforced…</span> : null}
      {tool.enabled ? null : <Mark tone="care">Switched off: nobody can {tool.kind === 'tool' ? 'call' : 'use'} it</Mark>}
      {tool.drifted ? <Mark tone="care">Its server changed it: calls are refused</Mark> : null}
      <Loaded query={query}>
        {(view) => (
          <>
            <CellCondition key={JSON.stringify(view.condition)} kind={tool.kind} grant={pending ?? grant} condition={view.condition} onSet={(condition) => onSet(grant, condition ?? undefined)} />
            <Details view={view} />
          </>
        )}
      </Loaded>
    </aside>
  )
}

function effect(one: Grant, grant: Grant, view: CellView | undefined): string {
  if (one === grant) return view?.condition ? `now, on a condition: ${grantMeaning[one]}` : `now: ${grantMeaning[one]}`
  if (rank[one] > rank[grant]) return `${grantMeaning[one]}, in new sessions`
  const live = view?.live_sessions ?? 0
  return live > 0 ? `${grantMeaning[one]}, at once in ${plural(live, 'live session')}` : `${grantMeaning[one]}, at once`
}

function Details({ view }: { view: CellView }) {
  const tenant = useTenant()
  const [whole, setWhole] = useState(false)
  return (
    <>
      {view.tool.problem === null ? null : <ToolProblem problem={view.tool.problem} taken />}
      <section className="stack tight">
        <h3>Who can {view.tool.kind === 'tool' ? 'call' : 'use'} it through this role</h3>
        {view.callers.length === 0 ? <span className="dim">Nobody now. <Link to="/t/$tenant/explain" params={{ tenant: tenant.name }} search={{ tool: view.tool.id } as never}>Ask why</Link></span> : null}
        {view.callers.map((caller) => (
          <div key={`${caller.agent}${caller.task}`} className={css.caller}>
            <span className="ellipsis">
              <Link to="/t/$tenant/agents" params={{ tenant: tenant.name }} search={{ agent: caller.agent } as never}>{caller.agent_name}</Link>
              <span className="dim"> through {caller.task_name}</span>
            </span>
            <Link className="small" to="/t/$tenant/explain" params={{ tenant: tenant.name }} search={{ agent: caller.agent, task: caller.task, tool: view.tool.id } as never} aria-label={`why ${caller.agent_name} may, through ${caller.task_name}`}>why</Link>
            <GrantMark grant={caller.grant} plain />
          </div>
        ))}
      </section>
      <section className="stack tight">
        <h3>The {kindLabel[view.tool.kind]}</h3>
        <span className={css.quoted}><Untrusted text={view.tool.description || 'Its server says nothing about it.'} lines /></span>
        {view.tool.kind === 'tool' ? <Claims claims={view.tool.claims} /> : null}
        <button type="button" className={css.more} aria-expanded={whole} onClick={() => setWhole(!whole)}>{whole ? 'Hide its definition' : 'Show its definition'}</button>
        {whole ? <JsonView source={view.tool.definition} label="Pinned definition" /> : null}
      </section>
      <ToolNeeds tool={view.tool} />
      <section className="stack tight">
        <h3>Last calls and refusals</h3>
        {view.recent.length === 0 ? <span className="dim">None on record.</span> : null}
        <div className={css.recent}>{view.recent.map((row) => <EventRow key={row.seq} row={row} tenant={tenant.name} />)}</div>
      </section>
    </>
  )
}

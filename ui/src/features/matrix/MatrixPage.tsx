import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useRef, useState } from 'react'
import { useAddress } from '@/components/address'
import { Empty } from '@/components/Empty'
import { grantLabel } from '@/components/Grant'
import { Loaded } from '@/components/Loaded'
import { Page } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import type { CellChange, Grant, MatrixView } from '@/ipc/generated'
import { matrix } from '@/ipc/queries'
import { CellPanel } from './CellPanel'
import { ExportMatrix } from './ExportMatrix'
import css from './Matrix.module.css'
import { MatrixGrid } from './MatrixGrid'
import { Preview, type Proposal } from './Preview'
import { AddRole } from './Roles'
import { cellCount, cellKey, clamp, Grants, only, plan, rangeOf, sheet, type Selection } from './sheet'
import { Toolbar } from './Toolbar'
import { useEdit } from './useEdit'

/** Who may do what: roles are columns, tools are rows, each cell is a grant. */
export function MatrixPage() {
  const tenant = useTenant()
  const query = useQuery(matrix(tenant.id))
  return <Loaded query={query}>{(view) => <Matrix view={view} />}</Loaded>
}

function Matrix({ view }: { view: MatrixView }) {
  const tenant = useTenant()
  const [address] = useAddress()
  const edit = useEdit(tenant.id)
  const grid = useRef<HTMLDivElement>(null)
  const panel = useRef<HTMLElement>(null)
  const [proposal, propose] = useState<Proposal | null>(null)
  const grants = useMemo(() => new Grants(view), [view])
  const shown = useMemo(
    () => sheet(view, { words: address.q, server: address.server, lens: address.lens, kind: address.kind }),
    [view, address.q, address.server, address.lens, address.kind],
  )
  // A link may name a cell.
  const [picked, pick] = useState<Selection>(() => only({ tool: Math.max(0, shown.tools.findIndex((it) => it.id === address.tool)), role: Math.max(0, view.roles.findIndex((it) => it.id === address.role)) }))
  const selection = clamp(picked, { tools: shown.tools.length, roles: view.roles.length })
  const range = rangeOf(selection)

  // One cell is set at once; more than one are shown first.
  const setTo = (grant: Grant) => {
    const changes = plan(range, grant, shown, view, (tool, role) => edit.underway.get(cellKey(tool, role)) ?? grants.of(tool, role))
    if (cellCount(range) === 1) edit.set(changes.map(bare))
    else propose({ grant, changes, cells: cellCount(range) })
  }
  const accept = () => {
    if (proposal) edit.set(proposal.changes.map(bare))
    propose(null)
    grid.current?.focus()
  }
  const tool = shown.tools[selection.active.tool]
  const role = view.roles[selection.active.role]
  if (view.tools.length === 0 || view.roles.length === 0) return <EmptyMatrix view={view} />
  return (
    <Page fill title="Matrix" lead="What each role may do with each tool. A change is enforced with the very next request." actions={<><ExportMatrix /><AddRole /></>}>
      <Toolbar view={view} cells={cellCount(range)} onSet={setTo} shown={shown.tools.length} />
      <div className={css.work}>
        <MatrixGrid ref={grid} view={view} sheet={shown} grants={grants} underway={edit.underway} selection={selection} onSelect={pick} onSet={setTo} onEnter={() => panel.current?.focus()} />
        {tool && role ? (
          <CellPanel ref={panel} key={`${tool.id}${role.id}`} tool={tool} role={role} grant={grants.of(tool.id, role.id)} underway={edit.underway} onSet={(grant, condition) => edit.set([{ tool: tool.id, role: role.id, grant, ...(condition && { condition }) }])} onLeave={() => grid.current?.focus()} />
        ) : null}
      </div>
      <Preview proposal={proposal} view={view} onAccept={accept} onCancel={() => propose(null)} />
      <span className="visually-hidden" role="status">
        {tool && role ? `${tool.name}, ${role.name}: ${grantLabel[grants.of(tool.id, role.id)]}` : ''}
      </span>
    </Page>
  )
}

const bare = ({ tool, role, grant }: CellChange): CellChange => ({ tool, role, grant })

function EmptyMatrix({ view }: { view: MatrixView }) {
  const tenant = useTenant()
  const noTools = view.tools.length === 0
  return (
    <Page title="Matrix" lead="What each role may do with each tool." actions={<AddRole />}>
      <div className="panel">
        {noTools ? (
          <Empty title="No tool yet" action={<Link to="/t/$tenant/servers" params={{ tenant: tenant.name }} search={{ new: '1' } as never}>Add a server</Link>}>
            Tools are the rows of the matrix. They come from a server: put one behind the gateway and take its tools in.
          </Empty>
        ) : (
          <Empty title="No role yet" action={<AddRole />}>Roles are the columns of the matrix. Add one, then say for each tool what it may do.</Empty>
        )}
      </div>
    </Page>
  )
}

import type { VirtualItem } from '@tanstack/react-virtual'
import { memo } from 'react'
import { IconAlertTriangle } from '@/components/icons'
import { KindMark } from '@/components/KindMark'
import { OneLine } from '@/components/OneLine'
import type { Grant, MatrixView } from '@/ipc/generated'
import { relative } from '@/lib/format'
import { countOf, marked } from '@/lib/kinds'
import { Cell } from './Cell'
import css from './Matrix.module.css'
import { cellKey, type Grants, type SheetRow, type Spot } from './sheet'

export const ROW = 32

type ToolRow = Extract<SheetRow, { kind: 'tool' }>
type ServerRow = Extract<SheetRow, { kind: 'server' }>

type Props = {
  row: ToolRow
  /** Its number among all rows. */
  index: number
  top: number
  first: number
  column: number
  columns: VirtualItem[]
  roles: MatrixView['roles']
  grants: Grants
  underway: ReadonlyMap<string, Grant>
  /** The first and the last column of it that are selected; -1 when none is. */
  from: number
  to: number
  /** The column of the active cell; -1 when it stands in another row. */
  active: number
  now: number
  onPoint: (spot: Spot, extend: boolean) => void
  onSelect: (row: SheetRow) => void
}

/** A tool and what each role may do with it. Scrolling draws only the rows that come into sight. */
export const MatrixRow = memo(function MatrixRow({ row, index, top, first, column, columns, roles, grants, underway, from, to, active, now, onPoint, onSelect }: Props) {
  return (
    <div className={css.row} role="row" aria-rowindex={index + 2} data-active={active >= 0 || undefined} data-off={!row.tool.enabled || undefined} style={{ height: ROW, transform: `translateY(${top}px)` }}>
      <ToolHead row={row} first={first} now={now} onSelect={onSelect} />
      {columns.map((cell) => {
        const role = roles[cell.index]
        if (!role) return null
        const wanted = underway.get(cellKey(row.tool.id, role.id))
        return (
          <Cell key={role.id} id={`cell-${row.at}-${cell.index}`} tool={row.at} role={cell.index} left={cell.start} width={column} grant={wanted ?? grants.of(row.tool.id, role.id)} conditional={grants.hasCondition(row.tool.id, role.id)} underway={wanted !== undefined}
            outside={row.outside} selected={cell.index >= from && cell.index <= to} active={cell.index === active} onPoint={onPoint} />
        )
      })}
    </div>
  )
})

function ToolHead({ row, first, now, onSelect }: Pick<Props, 'row' | 'first' | 'now' | 'onSelect'>) {
  const { tool } = row
  return (
    <div className={css.toolHead} role="rowheader" aria-colindex={1} style={{ width: first }}>
      <button type="button" tabIndex={-1} onClick={() => onSelect(row)} title={`${marked(tool)}: select the row`}>
        <KindMark kind={tool.kind} />
        <span className={css.name}><OneLine text={tool.name} /></span>
        {tool.drifted ? <span className={css.drifted} title="The server changed it: calls are refused"><IconAlertTriangle size={13} /></span> : null}
        <span className={css.used}>{tool.enabled ? (tool.last_used ? relative(tool.last_used, now).replace(' ago', '') : '') : 'off'}</span>
      </button>
    </div>
  )
}

type ServerProps = { row: ServerRow } & Pick<Props, 'index' | 'top' | 'first' | 'onSelect'>

/** The head of a server's tools. */
export const ServerHead = memo(function ServerHead({ row, index, top, first, onSelect }: ServerProps) {
  return (
    <div className={css.serverRow} role="row" aria-rowindex={index + 2} style={{ height: ROW, transform: `translateY(${top}px)` }}>
      <div className={css.serverHead} role="rowheader" aria-colindex={1} style={{ minWidth: first }}>
        <button type="button" tabIndex={-1} onClick={() => onSelect(row)} title="Select every cell of this server">
          <b>{row.name}</b> <span className="dim">{countOf(row.things)}{row.enabled ? '' : ', switched off'}</span>
        </button>
      </div>
    </div>
  )
})

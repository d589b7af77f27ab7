import { useMergedRef } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useLayoutEffect, useRef, type KeyboardEvent, type Ref } from 'react'
import { Empty } from '@/components/Empty'
import { useSize } from '@/components/size'
import { useNow } from '@/components/Time'
import type { Grant, MatrixView } from '@/ipc/generated'
import { count } from '@/lib/format'
import { countOf } from '@/lib/kinds'
import css from './Matrix.module.css'
import { MatrixRow, ROW, ServerHead } from './MatrixRow'
import { RoleHead } from './Roles'
import { columnsIn, move, only, rangeOf, type Grants, type Selection, type Sheet, type SheetRow, type Spot } from './sheet'

const HEAD = 40
const FIRST = { narrow: 196, wide: 264 }
const COLUMN = { least: 80, most: 128 }

type Props = {
  ref: Ref<HTMLDivElement>
  view: MatrixView
  sheet: Sheet
  grants: Grants
  underway: ReadonlyMap<string, Grant>
  selection: Selection
  onSelect: (selection: Selection) => void
  onSet: (grant: Grant) => void
  onEnter: () => void
}

const keyOf: Record<string, Grant> = { a: 'allow', t: 'token', d: 'deny' }

/** The grid: only what is in sight is drawn; the head and the first column stay put. */
export function MatrixGrid({ ref, view, sheet, grants, underway, selection, onSelect, onSet, onEnter }: Props) {
  const scroller = useRef<HTMLDivElement>(null)
  const { ref: measured, width, height } = useSize()
  const merged = useMergedRef(ref, scroller, measured)
  const now = useNow(60_000)
  const first = width > 700 ? FIRST.wide : FIRST.narrow
  const column = Math.floor(Math.max(COLUMN.least, Math.min(COLUMN.most, (width - first) / Math.max(1, view.roles.length))))
  const range = rangeOf(selection)
  const rows = useVirtualizer({
    useFlushSync: false, count: sheet.rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, paddingStart: HEAD, scrollPaddingStart: HEAD + ROW, overscan: 6,
  })
  const columns = useVirtualizer({
    useFlushSync: false, horizontal: true, count: view.roles.length, getScrollElement: () => scroller.current, estimateSize: () => column, paddingStart: first, scrollPaddingStart: first, overscan: 2,
  })
  useLayoutEffect(() => columns.measure(), [column, first, columns])

  const go = (next: Selection) => {
    onSelect(next)
    const row = sheet.rowOf[next.active.tool]
    if (row !== undefined) rows.scrollToIndex(row)
    columns.scrollToIndex(next.active.role)
  }
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const grant = keyOf[event.key.toLowerCase()]
    if (grant) {
      event.preventDefault()
      return onSet(grant)
    }
    if (event.key === 'Enter') {
      event.preventDefault()
      return onEnter()
    }
    const next = move(selection, event.key, event.shiftKey, { tools: sheet.tools.length, roles: view.roles.length, page: Math.max(1, Math.floor((height - HEAD) / ROW) - 1) })
    if (!next) return
    event.preventDefault()
    go(next)
  }
  // Stays the same from one drawing to the next, so that cells are drawn anew only when they change.
  const latest = useRef(selection)
  useEffect(() => {
    latest.current = selection
  }, [selection])
  const point = useCallback(
    (spot: Spot, extend: boolean) => onSelect(extend ? { anchor: latest.current.anchor, active: spot } : only(spot)),
    [onSelect],
  )
  const many = useCallback(
    (anchor: Spot, active: Spot) => {
      onSelect({ anchor, active })
      scroller.current?.focus()
    },
    [onSelect],
  )
  const lastRole = view.roles.length - 1
  const selectRow = useCallback(
    (row: SheetRow) => {
      const [from, to] = row.kind === 'tool' ? [row.at, row.at] : [row.first, row.first + row.tools - 1]
      many({ tool: from, role: 0 }, { tool: to, role: lastRole })
    },
    [many, lastRole],
  )
  const lastTool = sheet.tools.length - 1
  const selectColumn = useCallback((role: number) => many({ tool: 0, role }, { tool: lastTool, role }), [many, lastTool])
  const shownColumns = columns.getVirtualItems()
  const activeId = `cell-${selection.active.tool}-${selection.active.role}`
  if (sheet.rows.length === 0) {
    return <div className={`panel ${css.grid}`}><Empty title="No tool matches">Change the filter to see more.</Empty></div>
  }
  return (
    <div ref={merged} className={`panel ${css.grid}`} role="grid" tabIndex={0} aria-label="Matrix of grants" aria-multiselectable aria-rowcount={sheet.rows.length + 1} aria-colcount={view.roles.length + 1} aria-activedescendant={activeId} onKeyDown={pressed}>
      <div className={css.sheet} style={{ width: columns.getTotalSize(), height: rows.getTotalSize() }} role="presentation">
        <div className={css.head} style={{ height: HEAD }} role="row" aria-rowindex={1}>
          <div className={css.corner} style={{ width: first }} role="columnheader" aria-colindex={1}>{sheet.tools.length === view.tools.length ? countOf(sheet.tools) : `${countOf(sheet.tools)} of ${count(view.tools.length)}`}</div>
          {shownColumns.map((item) => {
            const role = view.roles[item.index]
            return role ? (
              <RoleHead key={role.id} role={role} left={item.start} width={column} at={item.index} selected={item.index >= range.roles[0] && item.index <= range.roles[1]} onSelect={selectColumn} />
            ) : null
          })}
        </div>
        {rows.getVirtualItems().map((item) => {
          const row = sheet.rows[item.index]
          if (!row) return null
          if (row.kind === 'server') return <ServerHead key={row.id} row={row} index={item.index} top={item.start} first={first} onSelect={selectRow} />
          const [from, to] = columnsIn(range, row.at)
          return (
            <MatrixRow key={row.tool.id} row={row} index={item.index} top={item.start} first={first} column={column} columns={shownColumns} roles={view.roles} grants={grants} underway={underway}
              from={from} to={to} active={row.at === selection.active.tool ? selection.active.role : -1} now={now} onPoint={point} onSelect={selectRow} />
          )
        })}
      </div>
    </div>
  )
}

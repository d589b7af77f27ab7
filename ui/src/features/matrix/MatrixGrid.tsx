import { useElementSize, useMergedRef } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useRef, type KeyboardEvent, type Ref } from 'react'
import { Empty } from '@/components/Empty'
import { IconAlertTriangle } from '@/components/icons'
import { useNow } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import type { Grant, MatrixView } from '@/ipc/generated'
import { plural, relative } from '@/lib/format'
import { Cell } from './Cell'
import css from './Matrix.module.css'
import { RoleHead } from './Roles'
import { cellKey, isIn, move, only, rangeOf, type Grants, type Selection, type Sheet, type SheetRow, type Spot } from './sheet'

const HEAD = 40
const ROW = 32
const FIRST = { narrow: 176, wide: 264 }
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
  const { ref: measured, width, height } = useElementSize()
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
  useEffect(() => columns.measure(), [column, first, columns])

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
  const many = (anchor: Spot, active: Spot) => {
    onSelect({ anchor, active })
    scroller.current?.focus()
  }
  const lastRole = view.roles.length - 1
  const shownColumns = columns.getVirtualItems()
  const activeId = `cell-${selection.active.tool}-${selection.active.role}`
  if (sheet.rows.length === 0) {
    return <div className={`panel ${css.grid}`}><Empty title="No tool matches">Change the filter to see more.</Empty></div>
  }
  return (
    <div ref={merged} className={`panel ${css.grid}`} role="grid" tabIndex={0} aria-label="Matrix of grants" aria-multiselectable aria-rowcount={sheet.rows.length + 1} aria-colcount={view.roles.length + 1} aria-activedescendant={activeId} onKeyDown={pressed}>
      <div className={css.sheet} style={{ width: columns.getTotalSize(), height: rows.getTotalSize() }} role="presentation">
        <div className={css.head} style={{ height: HEAD }} role="row" aria-rowindex={1}>
          <div className={css.corner} style={{ width: first }} role="columnheader" aria-colindex={1}>{sheet.tools.length === view.tools.length ? plural(sheet.tools.length, 'tool') : `${sheet.tools.length} of ${plural(view.tools.length, 'tool')}`}</div>
          {shownColumns.map((item) => {
            const role = view.roles[item.index]
            return role ? (
              <RoleHead key={role.id} role={role} left={item.start} width={column} at={item.index} selected={item.index >= range.roles[0] && item.index <= range.roles[1]}
                onSelect={() => many({ tool: 0, role: item.index }, { tool: sheet.tools.length - 1, role: item.index })} />
            ) : null
          })}
        </div>
        {rows.getVirtualItems().map((item) => {
          const row = sheet.rows[item.index]
          if (!row) return null
          return (
            <div key={row.kind === 'server' ? row.id : row.tool.id} className={row.kind === 'server' ? css.serverRow : css.row} role="row" aria-rowindex={item.index + 2}
              data-active={row.kind === 'tool' && row.at === selection.active.tool ? true : undefined} data-off={row.kind === 'tool' && !row.tool.enabled ? true : undefined}
              style={{ height: ROW, transform: `translateY(${item.start}px)` }}>
              {row.kind === 'server' ? (
                <ServerHead row={row} first={first} onSelect={() => many({ tool: row.first, role: 0 }, { tool: row.first + row.tools - 1, role: lastRole })} />
              ) : (
                <>
                  <ToolHead row={row} first={first} now={now} onSelect={() => many({ tool: row.at, role: 0 }, { tool: row.at, role: lastRole })} />
                  {shownColumns.map((cell) => {
                    const role = view.roles[cell.index]
                    if (!role) return null
                    const enforced = grants.of(row.tool.id, role.id)
                    const wanted = underway.get(cellKey(row.tool.id, role.id))
                    return (
                      <Cell key={role.id} id={`cell-${row.at}-${cell.index}`} tool={row.at} role={cell.index} left={cell.start} width={column} grant={wanted ?? enforced} underway={wanted !== undefined}
                        outside={row.outside} selected={isIn(range, row.at, cell.index)} active={row.at === selection.active.tool && cell.index === selection.active.role} onPoint={point} />
                    )
                  })}
                </>
              )}
            </div>
          )
        })}
      </div>
    </div>
  )
}

function ServerHead({ row, first, onSelect }: { row: Extract<SheetRow, { kind: 'server' }>; first: number; onSelect: () => void }) {
  return (
    <div className={css.serverHead} role="rowheader" aria-colindex={1} style={{ minWidth: first }}>
      <button type="button" tabIndex={-1} onClick={onSelect} title="Select every cell of this server">
        <b>{row.name}</b> <span className="dim">{plural(row.tools, 'tool')}{row.enabled ? '' : ', switched off'}</span>
      </button>
    </div>
  )
}

type ToolHeadProps = { row: Extract<SheetRow, { kind: 'tool' }>; first: number; now: number; onSelect: () => void }

function ToolHead({ row: { tool }, first, now, onSelect }: ToolHeadProps) {
  return (
    <div className={css.toolHead} role="rowheader" aria-colindex={1} style={{ width: first }}>
      <button type="button" tabIndex={-1} onClick={onSelect} title={`${tool.name}: select the row`}>
        <span className="ellipsis mono"><Untrusted text={tool.name} /></span>
        {tool.drifted ? <span className={css.drifted} title="The server changed it: calls are refused"><IconAlertTriangle size={13} /></span> : null}
        <span className={css.used}>{tool.enabled ? (tool.last_used ? relative(tool.last_used, now).replace(' ago', '') : '') : 'off'}</span>
      </button>
    </div>
  )
}

import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import { GrantMark } from '@/components/Grant'
import { Untrusted } from '@/components/Untrusted'
import type { ReferenceRow, ToolId } from '@/ipc/generated'
import css from './Reference.module.css'

const ROW = 34

type Props = { rows: ReferenceRow[]; open: string | undefined; onOpen: (tool: ToolId) => void }

/** The rows, as many as there are: only those in sight are drawn. */
export function ReferenceTable({ rows, open, onOpen }: Props) {
  const scroller = useRef<HTMLDivElement>(null)
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 })
  return (
    <div ref={scroller} className={`panel ${css.table}`} role="table" aria-label="Reference matrix" aria-rowcount={rows.length + 1} tabIndex={0}>
      <div className={css.head} role="row" aria-rowindex={1}>
        {['Tool', 'Role', 'Grant', 'Access token needs', 'Data system'].map((title) => <span key={title} role="columnheader">{title}</span>)}
      </div>
      <div role="rowgroup" style={{ height: list.getTotalSize(), position: 'relative' }}>
        {list.getVirtualItems().map((item) => {
          const row = rows[item.index]
          return row ? (
            <div
              key={`${row.tool}${row.role}`}
              role="row"
              aria-rowindex={item.index + 2}
              className={css.row}
              data-open={row.tool === open || undefined}
              data-again={rows[item.index - 1]?.tool === row.tool || undefined}
              data-off={!row.enabled || undefined}
              style={{ transform: `translateY(${item.start}px)`, height: ROW }}
              onClick={() => onOpen(row.tool)}
            >
              <Cells row={row} />
            </div>
          ) : null
        })}
      </div>
    </div>
  )
}

const needsOf = (row: ReferenceRow) => [row.scopes.join(' '), row.introspect ? 'its provider is asked on each call' : ''].filter(Boolean).join('; ')

function Cells({ row }: { row: ReferenceRow }) {
  return (
    <>
      <span role="cell">
        <button type="button" className={css.tool}>
          <Untrusted text={row.tool_name} mono /> <span className="dim small">{row.server_name}{row.enabled ? '' : ', off'}</span><span className="visually-hidden"> for {row.role_name}</span>
        </button>
      </span>
      <span role="cell" className="ellipsis">{row.role_name}</span>
      <span role="cell"><GrantMark grant={row.grant} plain conditional={row.condition !== null} /></span>
      <span role="cell" className="ellipsis" title={needsOf(row)}>
        {row.scopes.length === 0 ? row.introspect ? null : <span className="dim">none</span> : <code>{row.scopes.join(' ')}</code>}
        {row.introspect ? <span className="dim">{row.scopes.length === 0 ? '' : ' · '}asked about</span> : null}
      </span>
      <span role="cell" className="ellipsis" title={row.data_system ?? undefined}>{row.data_system ?? <span className="dim">not said</span>}</span>
    </>
  )
}

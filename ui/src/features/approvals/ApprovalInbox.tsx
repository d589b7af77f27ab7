import { useQuery } from '@tanstack/react-query'
import { useRef, useState, type KeyboardEvent } from 'react'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { OneLine } from '@/components/OneLine'
import { Time, useNow } from '@/components/Time'
import type { ApprovalRow } from '@/ipc/generated'
import { approvalShow } from '@/ipc/queries'
import { duration } from '@/lib/format'
import { ApprovalCard } from './ApprovalCard'
import css from './Approvals.module.css'
import { progressOf } from './Signatures'
import { StateMark } from './StateMark'
import { useCalmOrder } from './calm-order'

type Props = {
  rows: ApprovalRow[]
  open: string | undefined
  onOpen: (row: ApprovalRow) => void
  canDecide: boolean
}

/** A list on the left that stays put under the pointer, one card on the right. */
export function ApprovalInbox({ rows, open, onOpen, canDecide }: Props) {
  const [over, setOver] = useState(false)
  const shown = useCalmOrder(rows, over)
  const list = useRef<HTMLDivElement>(null)
  const chosen = shown.find((one) => one.row.id === open)?.row ?? shown[0]?.row
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!step || !chosen) return
    event.preventDefault()
    const next = shown[shown.findIndex((one) => one.row.id === chosen.id) + step]
    if (!next) return
    onOpen(next.row)
    list.current?.querySelector<HTMLElement>(`[data-id="${next.row.id}"]`)?.focus()
  }
  return (
    <div className={css.inbox}>
      <div ref={list} className={`panel ${css.list}`} role="listbox" aria-label="Calls" tabIndex={-1} onKeyDown={pressed}
        onPointerEnter={() => setOver(true)} onPointerLeave={() => setOver(false)}>
        {shown.map(({ row, gone }) => (
          <Item key={row.id} row={row} gone={gone} chosen={row.id === chosen?.id} onOpen={() => onOpen(row)} />
        ))}
      </div>
      <div className={css.side}>{chosen ? <Card key={chosen.id} row={chosen} canDecide={canDecide} /> : <Empty title="Choose a call">Its card opens here.</Empty>}</div>
    </div>
  )
}

function Item({ row, gone, chosen, onOpen }: { row: ApprovalRow; gone: boolean; chosen: boolean; onOpen: () => void }) {
  const progress = progressOf(row)
  return (
    <button type="button" role="option" aria-selected={chosen} tabIndex={chosen ? 0 : -1} data-id={row.id} data-gone={gone || undefined} className={css.item} onClick={onOpen}>
      <span className={css.itemHead}>
        <b className={css.itemName}><OneLine text={row.tool_name} /></b>
        {row.state === 'pending' ? <Left row={row} /> : <StateMark state={row.state} />}
      </span>
      <span className="dim small ellipsis">{row.agent_name} on {row.server_name}{progress ? ` · ${progress}` : ''}</span>
      {row.broke_glass ? <Mark tone="bad">Glass broken</Mark> : null}
      <span className="dim small ellipsis">
        {gone ? 'no longer waiting' : <>asked <Time at={row.requested} />{row.goes_on ? ' · the agent goes on' : row.held ? ' · the agent waits' : ''} · task {row.task_name}</>}
      </span>
    </button>
  )
}

function Left({ row }: { row: ApprovalRow }) {
  const now = useNow(1_000)
  return <span className="dim small nowrap">{duration((Date.parse(row.expires) - now) / 1000)} left</span>
}

function Card({ row, canDecide }: { row: ApprovalRow; canDecide: boolean }) {
  const query = useQuery(approvalShow(row.tenant, row.id))
  return <Loaded query={query}>{(view) => <ApprovalCard view={view} canDecide={canDecide} />}</Loaded>
}

import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useRef, useState, type KeyboardEvent } from 'react'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { OneLine } from '@/components/OneLine'
import { Time, useNow } from '@/components/Time'
import type { ApprovalRow } from '@/ipc/generated'
import { approvalShow } from '@/ipc/queries'
import { count, duration, exactDuration } from '@/lib/format'
import { ApprovalCard } from './ApprovalCard'
import css from './Approvals.module.css'
import { progressOf } from './Signatures'
import { StateMark } from './StateMark'
import { useCalmChoice, useCalmOrder, type Order } from './calm-order'
import { SHORT_SECS } from './TimeLeft'

type Props = {
  rows: ApprovalRow[]
  open: string | undefined
  onOpen: (row: ApprovalRow) => void
  order: Order
  onOrder: (order: Order) => void
  canDecide: boolean
}

/** A list on the left that stays put under the pointer, one card on the right. */
export function ApprovalInbox({ rows, open, onOpen, order, onOrder, canDecide }: Props) {
  const [over, setOver] = useState(false)
  // Keys that walk the list stay in it; a click goes on to the card, to where it can be denied.
  const [byKeys, setByKeys] = useState(false)
  const shown = useCalmOrder(rows, over, order)
  const list = useRef<HTMLDivElement>(null)
  const side = useRef<HTMLDivElement>(null)
  const chosen = useCalmChoice(shown, open)
  const waiting = shown.filter(({ row, gone }) => !gone && row.state === 'pending')
  const soonest = waiting.length > 1 ? Math.min(...waiting.map(({ row }) => Date.parse(row.expires))) : null
  const clicked = (row: ApprovalRow) => {
    setByKeys(false)
    onOpen(row)
    if (row.id === chosen?.id) side.current?.querySelector<HTMLElement>('[data-deny]')?.focus()
  }
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!step || !chosen) return
    event.preventDefault()
    const next = shown[shown.findIndex((one) => one.row.id === chosen.id) + step]
    if (!next) return
    setByKeys(true)
    onOpen(next.row)
    list.current?.querySelector<HTMLElement>(`[data-id="${next.row.id}"]`)?.focus()
  }
  return (
    <div className={css.inbox}>
      <div className={`panel ${css.column}`}>
        {waiting.length > 0 ? (
          <div className={css.listHead}>
            <b className="nowrap">{count(waiting.length)} waiting</b>
            <SegmentedControl size="xs" aria-label="Order" transitionDuration={0} value={order} onChange={(value) => onOrder(value === 'ends' ? 'ends' : 'newest')}
              data={[{ value: 'newest', label: 'Newest' }, { value: 'ends', label: 'Ends first' }]} />
          </div>
        ) : null}
        <div ref={list} className={css.list} role="listbox" aria-label="Calls" tabIndex={-1} onKeyDown={pressed}
          onPointerEnter={() => setOver(true)} onPointerLeave={() => setOver(false)}>
          {shown.map(({ row, gone }) => (
            <Item key={row.id} row={row} gone={gone} chosen={row.id === chosen?.id} soonest={!gone && Date.parse(row.expires) === soonest} onOpen={() => clicked(row)} />
          ))}
        </div>
      </div>
      <div ref={side} className={css.side}>{chosen ? <Card key={chosen.id} row={chosen} canDecide={canDecide} byKeys={byKeys} /> : <Empty title="Choose a call">Its card opens here.</Empty>}</div>
    </div>
  )
}

type ItemProps = { row: ApprovalRow; gone: boolean; chosen: boolean; soonest: boolean; onOpen: () => void }

function Item({ row, gone, chosen, soonest, onOpen }: ItemProps) {
  const progress = progressOf(row)
  return (
    <button type="button" role="option" aria-selected={chosen} tabIndex={chosen ? 0 : -1} data-id={row.id} data-gone={gone || undefined} className={css.item} onClick={onOpen}>
      <span className={css.itemHead}>
        <b className={css.itemName}><OneLine text={row.tool_name} /></b>
        {row.state === 'pending' ? <Left row={row} soonest={soonest} /> : <StateMark state={row.state} />}
      </span>
      <span className={`${css.itemLine} dim small`}>
        <span className="ellipsis">{row.agent_name} on {row.server_name}</span>
        {progress ? <span className="nowrap">· {progress}</span> : null}
      </span>
      {row.broke_glass ? <Mark tone="bad">Glass broken</Mark> : null}
      <span className="dim small ellipsis">
        {gone ? 'no longer waiting' : <>asked <Time at={row.requested} />{row.goes_on ? ' · the agent goes on' : row.held ? ' · the agent waits' : ''} · task {row.task_name}</>}
      </span>
    </button>
  )
}

function Left({ row, soonest }: { row: ApprovalRow; soonest: boolean }) {
  const now = useNow(1_000)
  const left = Math.max(0, (Date.parse(row.expires) - now) / 1000)
  const short = left < SHORT_SECS
  return (
    <span className={`${css.itemLeft} small nowrap`} data-short={short || undefined} data-soonest={soonest || undefined}>
      {soonest ? 'ends first · ' : ''}{left === 0 ? 'time is up' : `${short ? exactDuration(left) : duration(left)} left`}
    </span>
  )
}

function Card({ row, canDecide, byKeys }: { row: ApprovalRow; canDecide: boolean; byKeys: boolean }) {
  const query = useQuery(approvalShow(row.tenant, row.id))
  return <Loaded query={query}>{(view) => <ApprovalCard view={view} canDecide={canDecide} byKeys={byKeys} />}</Loaded>
}

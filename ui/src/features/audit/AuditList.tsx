import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import { Empty } from '@/components/Empty'
import { Mark, type Tone } from '@/components/Mark'
import { Sentence } from '@/components/Sentence'
import { Untrusted } from '@/components/Untrusted'
import type { AuditRow, Decision } from '@/ipc/generated'
import { clockUtc, count, exactUtc } from '@/lib/format'
import css from './Audit.module.css'
import { wordOf } from './kinds'

const ROW = 34

type Props = {
  rows: AuditRow[]
  open: number | null
  onOpen: (seq: number) => void
  /** Fetches older events; nothing when there are none or they are on their way. */
  more: (() => void) | null
  allTenants: boolean
}

/** The events, as many as there are: only those in sight are drawn. */
export function AuditList({ rows, open, onOpen, more, allTenants }: Props) {
  const scroller = useRef<HTMLDivElement>(null)
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 })
  const items = list.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (more && rows.length > 0 && last >= rows.length - 20) more()
  }, [last, more, rows.length])
  if (rows.length === 0) {
    return (
      <div className="panel">
        <Empty title="No event here">Nothing on record matches. Fewer filters show more; a new tenant fills this page with its first request.</Empty>
      </div>
    )
  }
  return (
    <div className={`panel ${css.list}`} data-all={allTenants || undefined}>
      <div className={css.head} aria-hidden>
        <span>No.</span><span>Time, UTC</span><span>What</span>{allTenants ? <span>Tenant</span> : null}<span>Who</span><span>Summary</span><span>Decision</span>
      </div>
      <div ref={scroller} className={css.scroller} role="list" aria-label="Events, newest first">
        <div style={{ height: list.getTotalSize(), position: 'relative' }}>
          {items.map((item) => {
            const row = rows[item.index]
            return row ? (
              <div key={row.seq} role="listitem" className={css.item} style={{ transform: `translateY(${item.start}px)`, height: ROW }}>
                <button type="button" className={css.event} data-open={row.seq === open || undefined} onClick={() => onOpen(row.seq)}>
                  <span className="dim">{count(row.seq)}</span>
                  <span title={exactUtc(row.at)}><span className="dim">{row.at.slice(5, 10)}</span> {clockUtc(row.at)}</span>
                  <span className="ellipsis">{wordOf(row.kind)}</span>
                  {allTenants ? <span className="ellipsis dim">{row.tenant_name ?? '–'}</span> : null}
                  <span className="ellipsis"><Untrusted text={row.who} /></span>
                  <span className="ellipsis"><Sentence text={allTenants ? row.summary : withoutTenant(row)} /></span>
                  <span><DecisionMark row={row} /></span>
                </button>
              </div>
            ) : null
          })}
        </div>
      </div>
    </div>
  )
}

/** The summary without the tenant's name, where only one tenant's events are shown. */
export function withoutTenant({ summary, tenant_name }: AuditRow): string {
  const start = `In tenant \`${tenant_name ?? ''}\` `
  if (!summary.startsWith(start)) return summary
  const rest = summary.slice(start.length)
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}

const decisionWord: Record<Decision, string> = { allow: 'Allowed', deny: 'Refused', hold: 'Held' }
const decisionTone: Record<Decision, Tone> = { allow: 'good', deny: 'plain', hold: 'care' }

export function DecisionMark({ row }: { row: AuditRow }) {
  if (row.decision) return <Mark tone={decisionTone[row.decision]} {...(row.reason ? { title: row.reason } : {})}>{decisionWord[row.decision]}</Mark>
  if (row.outcome === 'failed') return <Mark tone="care">Failed</Mark>
  if (row.outcome === 'unknown') return <Mark tone="care">Unknown</Mark>
  return null
}

import { useNow } from '@/components/Time'
import type { ApprovalRow } from '@/ipc/generated'
import { duration, exactDuration, exactUtc } from '@/lib/format'
import css from './Approvals.module.css'

/** Under so many seconds, time is short. */
export const SHORT_SECS = 120

/** How long a person may still decide, as a thin bar. */
export function TimeLeft({ row }: { row: ApprovalRow }) {
  const now = useNow(1_000)
  const end = Date.parse(row.expires)
  const left = Math.max(0, (end - now) / 1000)
  const whole = Math.max(1, (end - Date.parse(row.requested)) / 1000)
  return (
    <div className={css.time} data-short={left < SHORT_SECS || undefined} title={`Until ${exactUtc(row.expires)}`}>
      <div className={css.left} role="progressbar" aria-label="Time left to decide" aria-valuemin={0} aria-valuemax={Math.round(whole)} aria-valuenow={Math.round(Math.min(whole, left))}>
        <i style={{ transform: `scaleX(${Math.min(1, left / whole)})` }} />
      </div>
      <span className="small">{left === 0 ? 'time is up' : `${left < SHORT_SECS ? exactDuration(left) : duration(left)} left`}</span>
    </div>
  )
}

import { Link } from '@tanstack/react-router'
import type { AuditRow } from '@/ipc/generated'
import { Mark } from './Mark'
import { Sentence } from './Sentence'
import { Time } from './Time'
import css from './EventRow.module.css'

/** One audit event in a short list; it leads to the event itself. */
export function EventRow({ row, tenant }: { row: AuditRow; tenant: string }) {
  return (
    <Link to="/t/$tenant/audit" params={{ tenant }} search={{ event: String(row.seq) } as never} className={css.row ?? ''}>
      <span className={css.summary}>
        {row.kind === 'credential.rotation_failed' ? <><Mark tone="care">Not replaced</Mark> </> : null}
        <Sentence text={row.summary} />
      </span>
      <span className="dim small nowrap">
        <Time at={row.at} />
      </span>
    </Link>
  )
}

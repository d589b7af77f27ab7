import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CopyButton, CopyId } from '@/components/Copy'
import { JsonView } from '@/components/JsonView'
import { Loaded } from '@/components/Loaded'
import { Sentence } from '@/components/Sentence'
import { useTenant } from '@/components/tenant'
import { Untrusted } from '@/components/Untrusted'
import type { AuditDetail } from '@/ipc/generated'
import { auditShow } from '@/ipc/queries'
import { clockUtc, count, exactUtc } from '@/lib/format'
import { outcomeWord } from '@/lib/outcome'
import css from './Audit.module.css'
import { DecisionMark } from './AuditList'
import { wordOf } from './kinds'

/** One event: what it says, what belongs to it, and how it is sealed. */
export function EventDetail({ seq, onOpen }: { seq: number; onOpen: (seq: number) => void }) {
  const query = useQuery(auditShow(seq))
  return <Loaded query={query}>{(detail) => <Detail detail={detail} onOpen={onOpen} />}</Loaded>
}

/** What was decided on, where all of it is known: the same can be asked of the gates now. */
function askedOf({ row, event }: AuditDetail): Record<string, string> | null {
  const fact = (key: string) => {
    const found: unknown = (JSON.parse(event) as Record<string, unknown>)[key]
    return typeof found === 'string' ? found : undefined
  }
  const [agent, task, tool] = [fact('agent'), fact('task'), fact('tool')]
  return row.decision && agent && tool ? { agent, tool, ...(task && { task }) } : null
}

function Detail({ detail, onOpen }: { detail: AuditDetail; onOpen: (seq: number) => void }) {
  const tenant = useTenant()
  const { row } = detail
  const asked = askedOf(detail)
  return (
    <div className="stack wide">
      <p className={css.summary}><Sentence text={row.summary} /></p>
      <dl className="facts">
        <dt>When</dt><dd>{exactUtc(row.at)}</dd>
        <dt>What</dt><dd>{wordOf(row.kind)} <span className="dim mono">{row.kind}</span></dd>
        <dt>Who</dt><dd><Untrusted text={row.who} />{row.client ? <span className="dim"> from {row.client}</span> : null}</dd>
        {row.tool ? <><dt>Tool</dt><dd><Untrusted text={row.tool} mono /></dd></> : null}
        {row.decision ? <><dt>Decision</dt><dd className="row"><DecisionMark row={row} />{row.reason ? <code>{row.reason}</code> : null}{asked ? <Link to="/t/$tenant/explain" params={{ tenant: tenant.name }} search={asked as never}>explain it</Link> : null}</dd></> : null}
        {row.outcome ? <><dt>Outcome</dt><dd>{outcomeWord[row.outcome]}</dd></> : null}
        {row.policy_version === null ? null : <><dt>Policy</dt><dd>version {count(row.policy_version)}</dd></>}
        {row.session ? <><dt>Session</dt><dd><CopyId id={row.session} whole /> · <Link to="/t/$tenant/audit" params={{ tenant: tenant.name }} search={{ session: row.session } as never}>all of it</Link></dd></> : null}
        {row.correlation ? <><dt>Reference</dt><dd><CopyId id={row.correlation} whole /></dd></> : null}
      </dl>
      {detail.thread.length > 1 ? (
        <section className="stack tight">
          <h2>What belongs together</h2>
          <ol className={css.thread}>
            {detail.thread.map((one) => (
              <li key={one.seq}>
                <button type="button" onClick={() => onOpen(one.seq)} aria-current={one.seq === row.seq || undefined}>
                  <span className="dim nowrap">{clockUtc(one.at)}</span>
                  <span className="nowrap">{wordOf(one.kind)}</span>
                  <span className="grow"><Sentence text={one.summary} /></span>
                </button>
              </li>
            ))}
          </ol>
        </section>
      ) : null}
      <section className="stack tight">
        <h2>Seal</h2>
        <dl className="facts">
          <dt>Number</dt><dd>{count(row.seq)}</dd>
          <dt>Seal</dt><dd className={css.hash}>{row.hash}</dd>
          <dt>Seal before</dt><dd className={css.hash}>{detail.previous_hash}</dd>
        </dl>
      </section>
      <section className="stack tight">
        <div className="row spread"><h2>The event as sealed</h2><CopyButton text={detail.event} label="Copy the event" /></div>
        <JsonView source={detail.event} label="The event as sealed" />
      </section>
    </div>
  )
}

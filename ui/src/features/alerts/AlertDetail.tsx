import { Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { CopyId } from '@/components/Copy'
import { EventRow } from '@/components/EventRow'
import { Loaded } from '@/components/Loaded'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { Sentence } from '@/components/Sentence'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import { call } from '@/ipc/call'
import type { AlertDetail as Detail, AlertId, AlertView } from '@/ipc/generated'
import { alertShow } from '@/ipc/queries'
import { characters, count } from '@/lib/format'
import css from './Alerts.module.css'
import { SeverityMark } from './SeverityMark'

const LONGEST_NOTE = 500

/** An alert, the events behind it, and what came of it. */
export function AlertDetail({ id }: { id: AlertId }) {
  const query = useQuery(alertShow(id))
  return <Loaded query={query}>{(detail) => <Shown detail={detail} />}</Loaded>
}

function Shown({ detail: { alert, events } }: { detail: Detail }) {
  const tenant = useTenant()
  const more = alert.count - events.length
  return (
    <div className="stack wide">
      <div className="stack tight">
        <div className="row spread"><h2>{alert.title}</h2><SeverityMark alert={alert} /></div>
        <p className={css.sentence}><Sentence text={alert.sentence} /></p>
      </div>
      <Facts alert={alert} />
      <section className="stack tight" aria-label="Events behind it">
        <h2>Events behind it</h2>
        {events.length === 0 ? <p className="dim">No event shows it: only time passed.</p> : <div className="panel">{events.map((row) => <EventRow key={row.seq} row={row} tenant={tenant.name} />)}</div>}
        {events.length > 0 && more > 0 ? <p className="dim small">and {count(more)} more</p> : null}
        <Elsewhere alert={alert} />
      </section>
      {alert.state === 'open' ? <Acknowledge alert={alert} /> : null}
    </div>
  )
}

function Facts({ alert }: { alert: AlertView }) {
  return (
    <dl className="facts">
      <dt>Times</dt><dd>{count(alert.count)}</dd>
      <dt>First</dt><dd><Time at={alert.first} /></dd>
      <dt>Last</dt><dd><Time at={alert.last} /></dd>
      {alert.over === null ? null : <><dt>Over since</dt><dd><Time at={alert.over} /></dd></>}
      <dt>Class</dt><dd className="mono">{alert.class}</dd>
      <dt>Tenant</dt><dd>{alert.tenant_name ?? 'the whole installation'}</dd>
      {alert.agent_name === null ? null : <><dt>Agent</dt><dd>{alert.agent_name}{alert.rule === 'authn_failures' ? ', as the caller said' : ''}</dd></>}
      {alert.session === null ? null : <><dt>Session</dt><dd><CopyId id={alert.session} /></dd></>}
      {alert.credential === null ? null : <><dt>Credential</dt><dd><CopyId id={alert.credential} /></dd></>}
      {alert.contained ? <><dt>Containment</dt><dd>the session was ended and its credential suspended</dd></> : null}
      <dt>Alert</dt><dd><CopyId id={alert.id} /></dd>
      {alert.at === null ? null : <><dt>Acknowledged</dt><dd><Time at={alert.at} /> by {alert.acknowledged_by}</dd><dt>Note</dt><dd className={css.note}><Untrusted text={alert.note ?? ''} /></dd></>}
    </dl>
  )
}

/** Where the log has more of it. */
function Elsewhere({ alert }: { alert: AlertView }) {
  const tenant = useTenant()
  const to = { to: '/t/$tenant/audit', params: { tenant: tenant.name } } as const
  return (
    <div className={css.links}>
      {alert.correlation === null ? null : <Link {...to} search={{ correlation: alert.correlation, everywhere: '1' } as never}>The call it was found by</Link>}
      {alert.session === null ? null : <Link {...to} search={{ session: alert.session } as never}>All of the session</Link>}
      {alert.agent === null ? null : <Link {...to} search={{ agent: alert.agent } as never}>All of {alert.agent_name}</Link>}
    </div>
  )
}

function Acknowledge({ alert }: { alert: AlertView }) {
  const queryClient = useQueryClient()
  const [note, setNote] = useState('')
  const acknowledge = useMutation({
    mutationFn: () => call('alert_acknowledge', { alert: alert.id, note: note.trim() }),
    onSuccess: async () => {
      tellDone('Acknowledged. If it happens again, that is a new alert.')
      await queryClient.invalidateQueries()
    },
  })
  const long = characters(note.trim())
  const problem = long === 0 ? 'Say what you found out or did' : long > LONGEST_NOTE ? `A note has at most ${LONGEST_NOTE} characters` : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) acknowledge.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      <Textarea label="Note" description="What you found out, or did: for the record and for whoever looks later" rows={3} value={note}
        onChange={(event) => setNote(event.currentTarget.value)} error={long > LONGEST_NOTE ? problem : undefined} />
      {acknowledge.error ? <Problem error={acknowledge.error} /> : null}
      <div>
        <Act type="submit" tone="primary" loading={acknowledge.isPending} disabledReason={problem}>Acknowledge</Act>
      </div>
    </form>
  )
}

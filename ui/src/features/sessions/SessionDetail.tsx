import { Link } from '@tanstack/react-router'
import { CopyId } from '@/components/Copy'
import { GrantMark } from '@/components/Grant'
import { Mark } from '@/components/Mark'
import { Sentence } from '@/components/Sentence'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import type { SessionTool, SessionView } from '@/ipc/generated'
import { count, plural } from '@/lib/format'
import { EndNow, Release } from './Ending'
import css from './Sessions.module.css'
import { SessionEnds, stateWord } from './state'

/** One session: who, from where, for what, and what is left of its list. */
export function SessionDetail({ session }: { session: SessionView }) {
  const tenant = useTenant()
  return (
    <div className="stack wide">
      <dl className="facts">
        <dt>State</dt><dd>{stateWord[session.state]}</dd>
        <dt>Session</dt><dd><CopyId id={session.id} whole /></dd>
        <dt>Agent</dt><dd><Link to="/t/$tenant/agents" params={{ tenant: tenant.name }} search={{ agent: session.agent } as never}>{session.agent_name}</Link></dd>
        <dt>Task</dt><dd>{session.task_name ?? 'none declared'}</dd>
        <dt>Credential</dt>
        <dd className="row wrap">{session.key_id ? <CopyId id={session.key_id} whole /> : <span className="dim">gone</span>}{session.credential_state === 'suspended' ? <Mark tone="care">suspended</Mark> : null}</dd>
        <dt>From</dt><dd>{session.client ? <code>{session.client}</code> : <span className="dim">unknown</span>}</dd>
        <dt>Opened</dt><dd><Time at={session.opened} /> under version {count(session.policy_version)}</dd>
        <dt>{session.state === 'live' ? 'Time left' : 'Ended'}</dt><dd><SessionEnds session={session} /></dd>
        <dt>Calls</dt><dd>{count(session.calls)}, with {plural(session.anomalies, 'anomaly', 'anomalies')}{session.waiting > 0 ? `; ${count(session.waiting)} before a person` : ''}</dd>
      </dl>
      <section className="stack tight">
        <h2>Frozen allowlist</h2>
        {session.tools.some((tool) => tool.now !== tool.grant) ? <p className="dim">It was narrowed since: what stands on the right is in force.</p> : null}
        {session.tools.length === 0 ? <p className="dim">Nothing: no tool is granted by a role and listed by the task.</p> : null}
        {session.tools.map((tool) => <Row key={tool.listed} session={session} tool={tool} />)}
      </section>
      <Link to="/t/$tenant/audit" params={{ tenant: tenant.name }} search={{ session: session.id } as never}>Everything on record about this session</Link>
      <div>{session.state === 'live' ? <EndNow session={session} /> : <Release session={session} />}</div>
    </div>
  )
}

function Row({ session, tool }: { session: SessionView; tool: SessionTool }) {
  const tenant = useTenant()
  const narrowed = tool.now !== tool.grant
  return (
    <div className={css.tool} data-narrowed={narrowed || undefined}>
      <span className="ellipsis"><Untrusted text={tool.listed} mono /></span>
      {session.state === 'live' ? (
        <Link className="small" to="/t/$tenant/explain" params={{ tenant: tenant.name }} search={{ agent: session.agent, tool: tool.tool, session: session.id } as never} aria-label={`why ${tool.listed} is as it is`}>why</Link>
      ) : null}
      <GrantMark grant={tool.grant} plain={narrowed} />
      {narrowed ? <><span aria-label="narrowed to">→</span><GrantMark grant={tool.now} /></> : null}
      {tool.why ? <span className={`dim small ${css.why}`}><Sentence text={tool.why} /></span> : null}
    </div>
  )
}

import { useRef, type ReactNode } from 'react'
import { Act } from '@/components/Act'
import { Claims } from '@/components/Claims'
import { CopyId } from '@/components/Copy'
import { IconAlertTriangle, IconSignature } from '@/components/icons'
import { JsonView } from '@/components/JsonView'
import { Mark } from '@/components/Mark'
import { tellFailed } from '@/components/notices'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import type { ApprovalRow, ApprovalView } from '@/ipc/generated'
import { openApprovalWindow } from '@/ipc/windows'
import { ableTo } from '@/lib/effects'
import { bytes, count, exactUtc, plural } from '@/lib/format'
import { memberCount } from '@/lib/json'
import { kindLabel, kindUse, kindVerb } from '@/lib/kinds'
import { outcomeWord } from '@/lib/outcome'
import { isUsual } from '@/lib/signing'
import { Ahead, mayBeAhead } from './Ahead'
import css from './Approvals.module.css'
import { DecisionBar } from './DecisionBar'
import { PauseAgent } from './PauseAgent'
import { Signatures } from './Signatures'
import { StateMark } from './StateMark'
import { TimeLeft } from './TimeLeft'
import { useSeenWhole } from './seen'

const MANY = 5

/**
 * One call before a person: who, what, with what, why it asks, and until when. The same card in
 * the main window, where it only shows, and in the approval window, where it decides.
 */
export function ApprovalCard({ view, canDecide, byKeys = false }: { view: ApprovalView; canDecide: boolean; byKeys?: boolean }) {
  const { row } = view
  const body = useRef<HTMLDivElement>(null)
  const seen = useSeenWhole(body, view.arguments_digest)
  const pending = row.state === 'pending'
  return (
    <article className={`panel ${css.card}`} aria-label={`Call of ${row.tool_name} by ${row.agent_name}`}>
      {pending ? <TimeLeft row={row} /> : null}
      <LostBefore view={view} />
      <div ref={body} className={css.body} tabIndex={0} role="region" aria-label="The whole call">
        {pending ? null : <Decided view={view} />}
        <Who view={view} />
        <What view={view} />
        <Arguments view={view} />
        {isUsual(view.signing.rule) && view.signing.signatures.length < 2 && !row.broke_glass ? null : <Part title="Who has to sign"><Signatures view={view} /></Part>}
        <Why view={view} />
      </div>
      {pending && canDecide ? <DecisionBar view={view} seen={seen} byKeys={byKeys} /> : null}
      {canDecide && mayBeAhead(view) ? <Ahead key={row.id} view={view} /> : null}
      {!canDecide && mayBeAhead(view) ? (
        <footer className={css.bar}>
          <span className="dim grow small">It can be signed for again, before the agent makes it, in the approval window.</span>
          <Act onClick={() => void openApprovalWindow(row.tenant, row.id).catch(tellFailed)}>Sign a call ahead…</Act>
        </footer>
      ) : null}
      {pending && !canDecide ? (
        <footer className={css.bar}>
          <span className="dim grow">Deciding happens in a window of its own.</span>
          <Act tone="primary" size="sm" leftSection={<IconSignature size={16} />} onClick={() => void openApprovalWindow(row.tenant, row.id).catch(tellFailed)}>
            Decide in the approval window
          </Act>
        </footer>
      ) : null}
    </article>
  )
}

function Part({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="stack tight">
      <div className="row spread">
        <h2 className={css.part}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}

/** Signing again what may have been made already could make it twice. */
function LostBefore({ view: { lost_before, row } }: { view: ApprovalView }) {
  if (!lost_before) return null
  return (
    <p className={css.lost} role="note">
      <IconAlertTriangle size={18} aria-hidden />
      <span><b>This very call was approved <Time at={lost_before} />, and nobody knows whether it was made.</b>{row.state === 'pending' ? ' Look at the server before you sign.' : ''}</span>
    </p>
  )
}

function Who({ view }: { view: ApprovalView }) {
  const { row } = view
  return (
    <Part title="Who asks" aside={row.state === 'pending' ? <PauseAgent view={view} /> : null}>
      <p className={css.who}>
        <b>{row.agent_name}</b> of <b>{row.tenant_name}</b>, working on <b>{row.task_name}</b> as {view.roles.join(', ') || 'no role'}
      </p>
      <div className="row wrap" style={{ gap: '2px 16px' }}>
        <Attempts many={view.session_anomalies} where="in this session" />
        <span className="dim">session since <Time at={view.session_opened} /> · <CopyId id={view.session} /></span>
      </div>
      {/* A gateway that does not count them has not found none. */}
      {typeof view.agent_anomalies === 'number' ? (
        <div className="row wrap" style={{ gap: '2px 8px' }}>
          <span className="dim">In other sessions:</span>
          <Attempts many={view.agent_anomalies} where="within the last 24 hours" />
        </div>
      ) : null}
    </Part>
  )
}

function Attempts({ many, where }: { many: number; where: string }) {
  if (many === 0) return <Mark tone="good">No attempt outside its allowlist {where}</Mark>
  return <Mark tone={many >= MANY ? 'bad' : 'care'}>{plural(many, 'attempt')} outside its allowlist {where}</Mark>
}

function What({ view }: { view: ApprovalView }) {
  const { tool } = view
  return (
    <Part title="What it wants to do">
      <p className={css.what}>
        {kindVerb[tool.kind]} <b><Untrusted text={tool.name} mono /></b> on server <b>{tool.server_name}</b>
      </p>
      <Marked tool={tool} />
      <blockquote className={css.quote}>
        <span className="dim small">The server says: </span>
        <Untrusted text={tool.description || `nothing about this ${kindLabel[tool.kind]}.`} lines />
        {tool.kind === 'tool' ? <div><Claims claims={tool.claims} /></div> : null}
      </blockquote>
      {tool.drift === null ? null : <Mark tone="bad">The server publishes another definition of this {kindLabel[tool.kind]} now: the call will be refused</Mark>}
      <details className={css.pinned}>
        <summary className="small">Definition as pinned</summary>
        <JsonView source={tool.definition} label="Definition as pinned" />
      </details>
    </Part>
  )
}

/** What people of this tenant say of the tool, apart from what its server does. */
function Marked({ tool: { effects } }: Pick<ApprovalView, 'tool'>) {
  const able = ableTo(effects)
  return (
    <div className="row wrap" style={{ gap: '2px 8px' }} role="group" aria-label="Marked here">
      <span className="dim small">Marked here by an administrator:</span>
      {able ? <Mark tone="care">{able.charAt(0).toUpperCase() + able.slice(1)}</Mark> : <span className="dim">neither as able to send data out nor to destroy</span>}
    </div>
  )
}

function Arguments({ view }: { view: ApprovalView }) {
  const { previous, tool } = view
  const [use, what] = [kindUse[tool.kind], kindLabel[tool.kind]]
  if (view.arguments === null) {
    return (
      <Part title="With arguments of its own" aside={<span className="dim small">{bytes(view.arguments_bytes)}, not shown to you</span>}>
        <p className="dim">{view.withheld}</p>
      </Part>
    )
  }
  return (
    <Part title="With exactly these arguments" aside={<span className="dim small">{plural(memberCount(view.arguments), 'value')}, {bytes(view.arguments_bytes)}, shown in full</span>}>
      <JsonView source={view.arguments} before={previous} label="Arguments" />
      <span className="dim small">
        {previous === null ? `The first ${use} of this ${what} by this agent that a person sees.` : previous === view.arguments ? `The same as in the last approved ${use}.` : `Marked lines differ from the last approved ${use} of this ${what} by this agent.`}
      </span>
    </Part>
  )
}

function Why({ view }: { view: ApprovalView }) {
  return (
    <Part title="Why you are asked">
      <p><Untrusted text={view.asked_because} /></p>
      <dl className="facts small">
        <dt>Asked</dt><dd>{exactUtc(view.row.requested)}, under policy version {count(view.policy_version)}</dd>
        {view.row.state === 'pending' ? <><dt>Decide until</dt><dd>{exactUtc(view.row.expires)}; {meanwhile(view.row)}</dd></> : null}
        <dt>Digest signed</dt><dd><CopyId id={view.arguments_digest} whole /></dd>
        <dt>Definition</dt><dd><CopyId id={view.tool.fingerprint} whole /></dd>
        <dt>Request</dt><dd><CopyId id={view.row.id} whole /></dd>
      </dl>
    </Part>
  )
}

function meanwhile({ held, goes_on }: ApprovalRow): string {
  if (!held) return 'the agent does not wait: it has to come back after your decision'
  return goes_on
    ? 'the agent goes on meanwhile and asks for the result; its call is made as soon as you approve'
    : 'the agent waits, and its call is made as soon as you approve'
}

function Decided({ view }: { view: ApprovalView }) {
  return (
    <Part title="What became of it">
      <dl className="facts">
        <dt>State</dt><dd><StateMark state={view.row.state} /></dd>
        {view.row.broke_glass ? <><dt>Glass</dt><dd><Mark tone="bad">Broken: an owner signed alone</Mark></dd></> : null}
        {view.decided_by ? <><dt>Decided by</dt><dd>{view.decided_by}{view.decided_at ? <> <span className="dim">· {exactUtc(view.decided_at)}</span></> : null}</dd></> : null}
        {view.reason ? <><dt>Reason</dt><dd><Untrusted text={view.reason} lines /></dd></> : null}
        {view.outcome ? <><dt>Outcome</dt><dd>{outcomeWord[view.outcome]}</dd></> : null}
      </dl>
    </Part>
  )
}

import { useAddress } from '@/components/address'
import { GrantMark } from '@/components/Grant'
import { Mark, type Tone } from '@/components/Mark'
import { Sentence } from '@/components/Sentence'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import type { ExplainGate, ExplainView, Kind, StepVerdict } from '@/ipc/generated'
import { count, shortId } from '@/lib/format'
import { kindDoes } from '@/lib/kinds'
import css from './Explain.module.css'

const gateName: Record<ExplainGate, string> = {
  credential: 'Credential', tenant: 'Tenant', agent: 'Agent', session: 'Session', task: 'Task', tool: 'Tool', task_tools: 'Tools of the task', grant: 'Grant of a role',
  frozen: 'List of the session', arguments: 'Arguments', scopes: 'Access token', rate: 'How often', countersignature: 'Countersignature', drift: 'Definition', server: 'Server',
}
const verdictWord: Record<StepVerdict, string> = { passes: 'Passes', refuses: 'Refuses', asks: 'Asks a person', depends: 'Depends', skipped: 'Not reached' }
const verdictTone: Record<StepVerdict, Tone> = { passes: 'good', refuses: 'care', asks: 'care', depends: 'plain', skipped: 'plain' }

/** What would become of the call, and every step on the way. */
export function Explanation({ view, kind }: { view: ExplainView; kind: Kind }) {
  const [, set] = useAddress()
  return (
    <div className="stack wide">
      <div className={`panel ${css.outcome}`} data-outcome={view.outcome} role="status" aria-label="What would become of the call">
        <GrantMark grant={view.outcome} />
        <div className="grow stack tight">
          <b><Sentence text={view.sentence} /></b>
          <span className="dim small">
            {view.agent_name} {kindDoes[kind]} <Untrusted text={`${view.server_name}/${view.tool_name}`} mono /> {view.task_name ? `for ${view.task_name}` : 'without a task'}{view.session ? `, in session ${shortId(view.session)}` : ', in a session that opens now'}, under version {count(view.policy_version)}
          </span>
        </div>
      </div>
      <ol className={`panel ${css.steps}`} aria-label="Steps, in the order of the gateway">
        {view.steps.map((step) => (
          <li key={step.gate} data-verdict={step.verdict} data-decides={(step.gate === view.decides && step.verdict !== 'skipped') || undefined}>
            <span className={css.gate}>{gateName[step.gate]}</span>
            <Mark tone={verdictTone[step.verdict]}>{verdictWord[step.verdict]}</Mark>
            <span className="grow">{step.verdict === 'skipped' ? null : <Sentence text={step.sentence} />}{step.reason ? <> <code className="dim small">{step.reason}</code></> : null}</span>
          </li>
        ))}
      </ol>
      {view.sessions.length > 0 && !view.session ? (
        <section className="stack tight">
          <h2>In its sessions that are live now</h2>
          <p className="dim">What was granted when a session opened can only shrink, so its answer can be another one.</p>
          <ul className={`panel ${css.sessions}`}>
            {view.sessions.map((one) => (
              <li key={one.id}>
                <button type="button" onClick={() => set({ session: one.id })}>Session <span className="mono">{shortId(one.id)}</span></button>
                <GrantMark grant={one.outcome} plain />
                <span className="grow"><Sentence text={one.sentence} /></span>
                <span className="dim small">ends <Time at={one.ends} /></span>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  )
}

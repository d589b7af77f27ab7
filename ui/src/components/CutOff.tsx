import { useQuery } from '@tanstack/react-query'
import type { RevokePreviewView } from '@/ipc/generated'
import { revokePreview, type Meant } from '@/ipc/queries'
import { count, plural } from '@/lib/format'
import css from './CutOff.module.css'
import { Loaded } from './Loaded'
import { Mark } from './Mark'
import { useTenant } from './tenant'
import { Time } from './Time'

/** Who would be cut off by revoking what is meant, as it is now. Nothing is done. */
export function CutOff({ meant }: { meant: Meant }) {
  const tenant = useTenant()
  const query = useQuery(revokePreview(tenant.id, meant))
  return <Loaded query={query}>{(preview) => <Who preview={preview} />}</Loaded>
}

function Who({ preview: { agents, sessions, waiting } }: { preview: RevokePreviewView }) {
  if (agents.length === 0) return <p className={css.none}>Nobody is cut off: none of it may be used, and no session is open with it.</p>
  const entirely = agents.filter((agent) => agent.left === 0).length
  return (
    <section className="stack tight" aria-label="Who is cut off">
      <span><b>{entirely === 0 ? `${plural(agents.length, 'agent')} ${agents.length === 1 ? 'goes' : 'go'} on with another credential` : `${plural(agents.length, 'agent')} cut off${entirely === agents.length ? '' : `, ${count(entirely)} of them entirely`}`}</b>: {plural(sessions, 'session')} {sessions === 1 ? 'ends' : 'end'}, {plural(waiting, 'waiting call is', 'waiting calls are')} taken back.</span>
      <div className={css.frame} tabIndex={0} role="group" aria-label="Agents that are cut off">
        <table className={css.table}>
          <thead><tr><th>Agent</th><th>Loses</th><th>Keeps</th><th>Sessions</th><th>Waiting</th><th>Last used</th></tr></thead>
          <tbody>
            {agents.map((agent) => (
              <tr key={agent.agent}>
                <td><b>{agent.name}</b></td>
                <td>{count(agent.credentials)}</td>
                <td>{agent.left === 0 ? <Mark tone="care" title="It has nothing else to prove itself with">nothing</Mark> : count(agent.left)}</td>
                <td>{count(agent.sessions)}</td>
                <td>{count(agent.waiting)}</td>
                <td><Time at={agent.last_used} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

import { useQuery } from '@tanstack/react-query'
import { useAddress } from '@/components/address'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Sentence } from '@/components/Sentence'
import { useTenant } from '@/components/tenant'
import type { PosturePoint, PostureView, PostureWhat } from '@/ipc/generated'
import { credentialPosture } from '@/ipc/queries'
import { count, plural } from '@/lib/format'
import css from './Posture.module.css'
import { faultWord } from './words'

/** How well credentials are kept: of 100, with each thing that is to be mended. */
export function Posture() {
  const tenant = useTenant()
  const query = useQuery(credentialPosture(tenant.id))
  return <Loaded query={query}>{(posture) => <Score posture={posture} />}</Loaded>
}

function Score({ posture: { score, credentials, points } }: { posture: PostureView }) {
  const faulty = new Set(points.map((point) => point.credential)).size
  const kinds = (Object.keys(faultWord) as PostureWhat[]).map((what) => ({ what, of: points.filter((point) => point.what === what) })).filter(({ of }) => of.length > 0)
  return (
    <div className="stack">
      <div className={css.score}>
        <span className={css.number}>{count(score)}</span>
        <span><b>of 100</b><br />
          <span className="dim">{credentials === 0 ? 'No credential may be used: there is nothing to mend.' : faulty === 0 ? `None of ${plural(credentials, 'credential')} that may be used has a fault.` : `${count(faulty)} of ${plural(credentials, 'credential')} that may be used ${faulty === 1 ? 'has' : 'have'} a fault. Each that is mended counts for ${mended(credentials)}.`}</span>
        </span>
      </div>
      {kinds.length === 0 ? <div className="panel"><Empty title="Nothing to mend">Credentials that nobody uses, that outlive the tenant’s policy, that end with no successor or whose holder has not come for them appear here, each with what to do.</Empty></div> : null}
      {kinds.map(({ what, of }) => <Fault key={what} what={what} points={of} />)}
    </div>
  )
}

const mended = (credentials: number) => {
  const worth = 100 / credentials
  return worth >= 0.95 ? plural(Math.round(worth), 'point') : 'less than a point'
}

function Fault({ what, points }: { what: PostureWhat; points: PosturePoint[] }) {
  const [, set] = useAddress()
  return (
    <section className="stack tight" aria-label={faultWord[what]}>
      <h2>{faultWord[what]} <span className="dim">{count(points.length)}</span></h2>
      <p className="dim"><Sentence text={points[0]?.fix ?? ''} /></p>
      <ul className={`panel ${css.points}`}>
        {points.map((point) => (
          <li key={point.credential}>
            <button type="button" className={css.point} onClick={() => set({ credential: point.credential })}>
              <b className={css.agent}>{point.agent_name}</b>
              <span className={`mono ${css.id}`} title={point.key_id}>{point.key_id}</span>
              <span className={css.go}>Open it</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

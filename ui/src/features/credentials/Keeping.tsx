import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { EventRow } from '@/components/EventRow'
import { GoOn } from '@/components/GoOn'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { Section } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import type { LifecycleView } from '@/ipc/generated'
import { credentialEvents, housekeepingShow, lifecycleShow } from '@/ipc/queries'
import css from './Keeping.module.css'
import { spanText, type Term } from './terms'
import { TermsForm } from './TermsForm'

/** How long credentials live here, and what was done about them by itself. */
export function Keeping() {
  const tenant = useTenant()
  const query = useQuery(lifecycleShow(tenant.id))
  const [editing, setEditing] = useState(false)
  return (
    <div className={css.sides}>
      <Section title={`How long credentials of ${tenant.name} live`} aside={editing ? null : <Act onClick={() => setEditing(true)}>Change</Act>}>
        <Loaded query={query}>{(view) => (editing ? <TermsForm view={view} onDone={() => setEditing(false)} /> : <InForce view={view} />)}</Loaded>
      </Section>
      <Housekeeping />
    </div>
  )
}

const lines: { title: string; term: Term; value: (view: LifecycleView) => string; most: string }[] = [
  { title: 'Lasts, unless said otherwise', term: 'lifetime_secs', value: (view) => spanText(view.usual_secs), most: '90 d' },
  { title: 'Lasts at most', term: 'lifetime_secs', value: (view) => spanText(view.longest_secs), most: '90 d' },
  { title: 'Is replaced by itself', term: 'rotate_secs', value: (view) => `${spanText(view.rotate_secs)} after its issue${view.set.rotate_secs === undefined ? '' : ', or earlier'}`, most: '90 d' },
  { title: 'Goes on beside its successor', term: 'overlap_secs', value: (view) => (view.overlap_secs === 0 ? 'not at all' : `for ${spanText(view.overlap_secs)}`), most: '7 d' },
  { title: 'Never used: an alert', term: 'alert_unused_secs', value: (view) => `${spanText(view.alert_unused_secs)} after its issue`, most: '15 d' },
  { title: 'Unused: revoked', term: 'revoke_unused_secs', value: (view) => `after ${spanText(view.revoke_unused_secs)}`, most: '30 d' },
]

function InForce({ view }: { view: LifecycleView }) {
  return (
    <>
      <div className="panel">
        <table className={css.table} aria-label="In force">
          <thead><tr><th>A credential</th><th>In force</th><th>From</th><th>At most</th></tr></thead>
          <tbody>
            {lines.map(({ title, term, value, most }) => (
              <tr key={title}><td>{title}</td><td><b>{value(view)}</b></td><td>{view.set[term] === undefined ? <span className="dim">usual</span> : 'this tenant'}</td><td className="dim">{most}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="dim small">Enforced at issue and at every look of the housekeeper. One that lasts longer than is usual is replaced after two thirds of its life. What exists keeps the end that it was issued with.</p>
    </>
  )
}

const kinds = ['credential.rotated', 'credential.overlap', 'credential.retired', 'credential.rotation_failed']

function Housekeeping() {
  const tenant = useTenant()
  const state = useQuery(housekeepingShow())
  const events = useQuery(credentialEvents(tenant.id, kinds))
  const [asking, setAsking] = useState(false)
  return (
    <Section title="Housekeeping">
      <Loaded query={state}>
        {({ last, halted, why }) => (
          <div className="panel padded stack">
            <div className="row wrap spread">
              {halted === null || why === null ? (
                <span className="row wrap"><Mark tone="good">Does its work</Mark><span className="dim">looked {last === null ? 'not yet' : <Time at={last} />}, for every tenant</span></span>
              ) : (
                <>
                  <span className="row wrap"><Mark tone="care">Stands still</Mark><span>since <Time at={halted} />: the clock was set {why}</span></span>
                  <Act onClick={() => setAsking(true)}>What to do…</Act>
                </>
              )}
            </div>
            {asking && halted !== null && why !== null ? <GoOn halted={{ since: halted, why }} onClose={() => setAsking(false)} /> : null}
          </div>
        )}
      </Loaded>
      <h3>What was done last</h3>
      <Loaded query={events}>
        {(page) => (page.rows.length === 0 ? <p className="dim">Nothing yet was replaced, made way or was retired in this tenant.</p> : <div className="panel">{page.rows.map((row) => <EventRow key={row.seq} row={row} tenant={tenant.name} />)}</div>)}
      </Loaded>
    </Section>
  )
}

import { useState } from 'react'
import { Act } from '@/components/Act'
import { GoOn } from '@/components/GoOn'
import { IconAlertTriangle } from '@/components/icons'
import { Time } from '@/components/Time'
import type { HaltedView } from '@/ipc/generated'
import css from './Doubt.module.css'

/** Says above every page that nothing is done about credentials by itself, and leads to what can be done. */
export function Halted({ halted }: { halted: HaltedView | null }) {
  const [asking, setAsking] = useState(false)
  if (halted === null) return null
  return (
    <div className={css.halted} role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <span className="grow"><b>Housekeeping stands still</b> since the clock was set, <Time at={halted.since} />: no credential is replaced, retired or revoked by itself.</span>
      <Act onClick={() => setAsking(true)}>What to do…</Act>
      {asking ? <GoOn halted={halted} onClose={() => setAsking(false)} /> : null}
    </div>
  )
}

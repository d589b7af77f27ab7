import type { ReactNode } from 'react'
import { IconLock, IconLockOpen } from '@/components/icons'
import { Lost } from '@/components/Lost'
import { usePresence } from '@/components/presence'
import { UnlockForm } from '@/components/UnlockForm'
import type { StatusView } from '@/ipc/generated'
import { count } from '@/lib/format'
import css from './Approvals.module.css'

/** The frame of the approval window: who is here, and nothing while it is locked. */
export function DecideFrame({ status, children }: { status: StatusView; children: ReactNode }) {
  return (
    <div className={css.window}>
      <header className={css.strip}>
        <h1>Countersign <span className="dim">approvals</span></h1>
        <span className="grow" />
        <span className="dim nowrap">version {count(status.policy_version)} enforced</span>
        {status.operator ? (
          <span className="row"><IconLockOpen size={14} /> {status.operator.name}</span>
        ) : (
          <span className="row"><IconLock size={14} /> {status.phase === 'first_run' ? 'not set up' : 'locked'}</span>
        )}
      </header>
      <main className={css.windowBody}>{status.attached?.connected === false ? <Lost attached={status.attached} /> : status.operator ? <Present>{children}</Present> : <UnlockForm title="Unlock to decide" lead="Only an unlocked operator sees and signs calls." />}</main>
    </div>
  )
}

function Present({ children }: { children: ReactNode }) {
  usePresence()
  return <>{children}</>
}

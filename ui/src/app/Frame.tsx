import { useQuery } from '@tanstack/react-query'
import { Outlet, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { Loaded } from '@/components/Loaded'
import { UnlockForm } from '@/components/UnlockForm'
import { Lost } from '@/components/Lost'
import { FirstRun } from '@/features/first-run/FirstRun'
import { JoinGateway } from '@/features/first-run/JoinGateway'
import { onInbox } from '@/ipc/events'
import { status } from '@/ipc/queries'
import type { StatusView } from '@/ipc/generated'
import { Doubt } from './Doubt'
import { Halted } from './Halted'
import css from './Frame.module.css'
import { Keys } from './Keys'
import { Rail } from './Rail'
import { StatusStrip } from './StatusStrip'
import { TenantSwitcher } from './TenantSwitcher'
import { usePresence } from '@/components/presence'

/** The window: what must be done first, the unlock form, or the console. */
export function Frame() {
  const query = useQuery(status())
  const navigate = useNavigate()
  useEffect(
    () =>
      onInbox(() => {
        // A dialog is closed on purpose: it may hold a secret shown once.
        if (!document.querySelector('.mantine-Modal-content')) void navigate({ to: '/approvals' })
      }),
    [navigate],
  )
  return (
    <div className={css.window}>
      <Loaded query={query}>{(now) => <Phase status={now} />}</Loaded>
    </div>
  )
}

function Phase({ status: now }: { status: StatusView }) {
  // The status knows of the owner before the starter is there: setting up ends when it says so.
  const [underway, setUnderway] = useState(false)
  if (now.phase === 'first_run' || underway) {
    return <FirstRun status={now} onBegun={() => setUnderway(true)} onEnded={() => setUnderway(false)} />
  }
  if (now.phase === 'join') return <JoinGateway attached={now.attached} />
  if (now.attached?.connected === false) return <Lost attached={now.attached} />
  if (now.operator === null) return <Locked status={now} />
  return <Console status={now} />
}

function Locked({ status: now }: { status: StatusView }) {
  return (
    <div className={css.locked}>
      <header className={css.strip}>
        <span className={css.brand}>Countersign</span>
        <StatusStrip status={now} />
      </header>
      <main className={css.center}>
        <UnlockForm />
      </main>
    </div>
  )
}

function Console({ status: now }: { status: StatusView }) {
  usePresence()
  return (
    <div className={css.console}>
      <a href="#content" className={css.skip} onClick={skip}>
        Skip to the page
      </a>
      <div className={css.brandCell}>
        <span className={css.brand}>Countersign</span>
      </div>
      <header className={css.top}>
        <TenantSwitcher />
        <StatusStrip status={now} />
      </header>
      <Rail counts={now} />
      <div className={css.body}>
        <Doubt status={now} />
        <Halted halted={now.halted} />
        <main className={css.content} id="content" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <Keys />
    </div>
  )
}

// The address belongs to the pages, so the link moves the focus and leaves the address alone.
function skip(event: React.MouseEvent) {
  event.preventDefault()
  document.getElementById('content')?.focus()
}

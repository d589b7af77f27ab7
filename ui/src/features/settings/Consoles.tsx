import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { Loaded } from '@/components/Loaded'
import { Mark, type Tone } from '@/components/Mark'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { ConsoleState, ConsoleView, ServingView } from '@/ipc/generated'
import { consoleList, servingShow } from '@/ipc/queries'
import { EnrolConsole } from './EnrolConsole'
import { LetIn } from './LetIn'
import css from './SettingsPage.module.css'

const word: Record<ConsoleState, string> = { in_force: 'In force', expired: 'Ended', revoked: 'Revoked' }
const tone: Record<ConsoleState, Tone> = { in_force: 'good', expired: 'plain', revoked: 'plain' }

/** Where operators on other machines are let in, and which consoles they have. */
export function Consoles({ isOwner }: { isOwner: boolean }) {
  const serving = useQuery(servingShow())
  const consoles = useQuery(consoleList())
  const [shown, show] = useState<'door' | 'enrol' | null>(null)
  const mayChange = isOwner ? undefined : 'Only an owner lets consoles in'
  return (
    <Loaded query={serving}>
      {(now) => (
        <>
          <p className="dim">Operators on other machines work on this gateway from consoles of their own, over TLS with a certificate on both sides. Each still takes its operator’s passphrase.</p>
          <dl className="facts">
            <dt>Let in at</dt><dd><Door serving={now} /></dd>
          </dl>
          <div className="row wrap">
            <Act onClick={() => show('door')} disabledReason={mayChange ?? (now.consoles.locked_by_flags ? 'The flag that it was started with wins' : undefined)}>{now.wanted.consoles === undefined ? 'Let other consoles in' : 'Change where'}</Act>
            <Act tone="primary" onClick={() => show('enrol')} disabledReason={mayChange}>Enrol a console</Act>
          </div>
          <Loaded query={consoles}>{(all) => <List all={all} mayChange={mayChange} />}</Loaded>
          {shown === 'door' ? <LetIn serving={now} onClose={() => show(null)} /> : null}
          {shown === 'enrol' ? <EnrolConsole serving={now} onClose={() => show(null)} /> : null}
        </>
      )}
    </Loaded>
  )
}

function Door({ serving: { consoles } }: { serving: ServingView }) {
  if (consoles.problem !== null) return <Mark tone="bad">{consoles.problem}</Mark>
  return consoles.listen === null ? <span className="dim">nowhere</span> : <code>{consoles.listen}</code>
}

function List({ all, mayChange }: { all: ConsoleView[]; mayChange: string | undefined }) {
  const queryClient = useQueryClient()
  const askToRevoke = (one: ConsoleView) =>
    confirm({
      title: `Revoke console ${one.name} of ${one.operator_name}?`,
      body: 'It is cut off at once, and not let in again. Another one has to be enrolled in its place.',
      action: 'Revoke',
      run: async () => {
        await call('console_revoke', { console: one.id })
        await queryClient.invalidateQueries()
      },
    })
  if (all.length === 0) return <p className="dim">No console was enrolled yet.</p>
  return (
    <ul className={css.consoles} aria-label="Consoles">
      {all.map((one) => (
        <li key={one.id}>
          <div className="stack tight">
            <span><b>{one.name}</b> of {one.operator_name}</span>
            <span className="row wrap">
              <Mark tone={tone[one.state]}>{word[one.state]}</Mark>
              <span className="dim small">{one.connected.length > 0 ? `connected from ${one.connected.join(', ')}${one.unlocked ? ', unlocked' : ', locked'}` : 'not connected'}</span>
            </span>
            <span className="dim small">enrolled <Time at={one.created} />, {one.revoked === null ? <>ends <Time at={one.expires} /></> : <>revoked <Time at={one.revoked} /></>}</span>
          </div>
          {one.state === 'in_force' ? <Act tone="danger" onClick={() => askToRevoke(one)} disabledReason={mayChange} aria-label={`Revoke console ${one.name} of ${one.operator_name}`}>Revoke</Act> : null}
        </li>
      ))}
    </ul>
  )
}

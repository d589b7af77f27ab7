import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Act } from '@/components/Act'
import { kindWord } from '@/components/credential'
import { CutOff } from '@/components/CutOff'
import { Dialog } from '@/components/Dialog'
import { Loaded } from '@/components/Loaded'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { CredentialId, CredentialRow, RotatedView } from '@/ipc/generated'
import { lifecycleShow } from '@/ipc/queries'
import { exactDuration } from '@/lib/format'

/** What is done to one credential: replaced with an overlap or at once, the replacement taken back, revoked. */
export type Doing = 'rotate' | 'now' | 'rollback' | 'revoke'

type Props = { doing: Doing; row: CredentialRow; onClose: () => void; onRotated: (rotated: RotatedView) => void }

/** Says what will happen and who is cut off, before it does. */
export function Ask({ doing, row, onClose, onRotated }: Props) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const which = { tenant: tenant.id, credential: row.credential.id }
  const run = useMutation({
    mutationFn: async (): Promise<RotatedView | null> => {
      switch (doing) {
        case 'rotate': return call('credential_rotate', which)
        case 'now': return call('credential_rotate', { ...which, now: true })
        case 'rollback': return call('credential_rollback', which)
        case 'revoke': return call('credential_revoke', which).then(() => null)
      }
    },
    onSuccess: async (done) => {
      tellDone(said[doing](row))
      if (done?.secret) onRotated(done)
      onClose()
      await queryClient.invalidateQueries()
    },
  })
  const isHarmless = doing === 'rotate'
  return (
    <Dialog onClose={onClose} title={titles[doing](row)} size={600}>
      <div className="stack">
        <p><code>{row.credential.key_id}</code></p>
        {bodyOf(doing, row)}
        {run.error ? <Problem error={run.error} /> : null}
        <div className="row spread">
          <Act onClick={onClose} data-autofocus>Leave it</Act>
          <Act tone={isHarmless ? 'primary' : 'danger'} onClick={() => run.mutate()} loading={run.isPending}>{verbs[doing]}</Act>
        </div>
      </div>
    </Dialog>
  )
}

const titles: Record<Doing, (row: CredentialRow) => string> = {
  rotate: (row) => `Replace this key of ${row.agent_name}?`, now: (row) => (row.successor === null ? `Replace this key of ${row.agent_name} now?` : `End this key of ${row.agent_name} now?`),
  rollback: (row) => `Take the replacement of this key of ${row.agent_name} back?`, revoke: (row) => `Revoke this ${kindWord[row.credential.kind]} of ${row.agent_name}?`,
}
const verbs: Record<Doing, string> = { rotate: 'Replace it', now: 'End it now', rollback: 'Take it back', revoke: 'Revoke it' }
const said: Record<Doing, (row: CredentialRow) => string> = {
  rotate: (row) => `The new key waits for ${row.agent_name}`, now: (row) => `The old key of ${row.agent_name} is over`,
  rollback: (row) => `The old key of ${row.agent_name} goes on`, revoke: (row) => `${kindWord[row.credential.kind]} of ${row.agent_name} is revoked`,
}

function bodyOf(doing: Doing, row: CredentialRow): ReactNode {
  switch (doing) {
    case 'rotate': return <Overlap row={row} />
    case 'now':
      return (
        <>
          <p>It stops working with the next request and cannot come back. {row.successor === null ? 'The secret of the new key is shown to you once: its agent goes on when you have handed it over.' : 'The new key goes on; if nobody has fetched it, its secret is shown to you once.'}</p>
          <CutOff meant={{ credential: row.credential.id }} />
        </>
      )
    case 'rollback': return <Rollback successor={row.successor} />
    case 'revoke':
      return (
        <>
          <p>It stops working with the next request and cannot come back.{row.successor === null ? '' : ' The one that takes its place goes on if its holder has come for it, and is retired if not.'}</p>
          <CutOff meant={{ credential: row.credential.id }} />
        </>
      )
  }
}

function Overlap({ row }: { row: CredentialRow }) {
  const tenant = useTenant()
  const query = useQuery(lifecycleShow(tenant.id))
  return (
    <Loaded query={query}>
      {({ overlap_secs: overlap }) => (
        <>
          <p>Nobody is cut off. {row.agent_name} fetches the new key with the old one; <code>countersign connect</code> does so by itself when it opens a session.</p>
          <p>The old key goes on for {exactDuration(overlap)} after the new one was first used, and until <Time at={row.credential.expires} /> in any case. Until then the replacement can be taken back.</p>
        </>
      )}
    </Loaded>
  )
}

function Rollback({ successor }: { successor: CredentialId | null }) {
  return (
    <>
      <p>The old key goes on to its own end. The new one stops working with the next request.</p>
      {successor === null ? null : <CutOff meant={{ credential: successor }} />}
    </>
  )
}

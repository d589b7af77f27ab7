import { Checkbox } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { IconAlertTriangle } from '@/components/icons'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { Sentence } from '@/components/Sentence'
import { call } from '@/ipc/call'
import type { StatusView } from '@/ipc/generated'
import css from './Doubt.module.css'

/** Says above every page that the registry is not what it was, and leads to what can be done. */
export function Doubt({ status: { doubt, operator } }: { status: Pick<StatusView, 'doubt' | 'operator'> }) {
  const [asking, setAsking] = useState(false)
  if (doubt === null) return null
  return (
    <div className={css.doubt} role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <span className="grow"><b>The registry is in doubt.</b> It is not the one that the secret store remembers, so nothing is served from it.</span>
      <Act tone="danger" onClick={() => setAsking(true)}>What to do…</Act>
      {asking && operator ? <Accept doubt={doubt} operator={operator} onClose={() => setAsking(false)} /> : null}
    </div>
  )
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`

type AcceptProps = { doubt: string; operator: NonNullable<StatusView['operator']>; onClose: () => void }

function Accept({ doubt, operator, onClose }: AcceptProps) {
  const queryClient = useQueryClient()
  const [known, setKnown] = useState(false)
  const accept = useMutation({
    mutationFn: () => call('registry_accept'),
    onSuccess: async () => {
      tellDone('The registry is accepted as it is')
      onClose()
      await queryClient.invalidateQueries()
    },
  })
  const may = operator.role === 'owner' ? undefined : `Only an owner accepts a registry, and ${operator.name} is none`
  return (
    <Dialog onClose={onClose} title="The registry is not what the secret store remembers" size={620}>
      <div className="stack">
        <p className={css.what}><Sentence text={sentence(doubt)} /></p>
        <p><b>If nobody restored a backup,</b> somebody may have exchanged or changed the registry: accept nothing, keep the folder as it is, and find out who it was.</p>
        <p><b>If you restored a backup,</b> you can go on with it. Then:</p>
        <ul className={css.means}>
          <li>the state of the backup is enforced from now on: keys, grants and approvals of it hold, and what was revoked after it was made is not revoked any more: revoke it again at once;</li>
          <li>every session is over, and agents sign in anew;</li>
          <li>it goes on record that {operator.name} accepted it.</li>
        </ul>
        <Checkbox label="I know how this registry came to be what it is" checked={known} onChange={(event) => setKnown(event.currentTarget.checked)} />
        {accept.error ? <Problem error={accept.error} /> : null}
        <div className="row spread">
          <Act onClick={onClose} data-autofocus>Leave it in doubt</Act>
          <Act tone="danger" onClick={() => accept.mutate()} loading={accept.isPending} disabledReason={may ?? (known ? undefined : 'Say first that you know how it came to be what it is')}>Accept the registry</Act>
        </div>
      </div>
    </Dialog>
  )
}

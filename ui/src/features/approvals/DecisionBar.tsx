import { Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type KeyboardEvent } from 'react'
import { Act } from '@/components/Act'
import { IconSignature } from '@/components/icons'
import { Problem } from '@/components/Problem'
import { useNow } from '@/components/Time'
import { call } from '@/ipc/call'
import type { ApprovalView } from '@/ipc/generated'
import css from './Approvals.module.css'
import { useArmed, type Arming } from './armed'

const notYet: Record<Arming, string | undefined> = {
  unseen: 'Scroll to the end of the card first: all of it is signed',
  away: 'This window is not in front',
  arming: 'In a moment',
  armed: undefined,
}

/** Deny and Approve, apart. Deny has the focus; Enter never approves. */
export function DecisionBar({ view, seen }: { view: ApprovalView; seen: boolean }) {
  const queryClient = useQueryClient()
  const [denying, setDenying] = useState(false)
  // Another request, or other arguments, under the hand are to be looked at first.
  const arming = useArmed(seen, `${view.row.id} ${view.arguments_digest}`)
  const now = useNow(1_000)
  const where = { tenant: view.row.tenant, approval: view.row.id }
  const settled = () => queryClient.invalidateQueries({ queryKey: ['approvals'] })
  const approve = useMutation({
    mutationFn: () => call('approval_approve', { ...where, shown: view.arguments_digest }),
    onSettled: settled,
  })
  const deny = useMutation({
    mutationFn: (reason: string) => call('approval_deny', { ...where, reason }),
    onSettled: settled,
  })
  const over = now >= Date.parse(view.row.expires) ? 'The time to decide is over' : undefined
  const refused = over ?? notYet[arming]
  const error = approve.error ?? deny.error
  if (denying) {
    return (
      <>
        {error ? <Problem error={error} /> : null}
        <DenyForm busy={deny.isPending} onDeny={(reason) => deny.mutate(reason)} onBack={() => setDenying(false)} />
      </>
    )
  }
  return (
    <>
      {error ? <Problem error={error} /> : null}
      <footer className={css.bar}>
        <Act size="sm" autoFocus onClick={() => setDenying(true)} disabledReason={over}>Deny</Act>
        <span className="dim grow small" role="status">{refused ?? 'Your signature covers exactly this call, once.'}</span>
        {/* A key that was meant for something else must not sign: only the pointer or the space bar do. */}
        <span onKeyDownCapture={swallowEnter}>
          <Act tone="primary" size="sm" leftSection={<IconSignature size={16} />} onClick={() => approve.mutate()} loading={approve.isPending} disabledReason={refused}>
            Approve and sign
          </Act>
        </span>
      </footer>
    </>
  )
}

function swallowEnter(event: KeyboardEvent) {
  if (event.key !== 'Enter') return
  event.preventDefault()
  event.stopPropagation()
}

const common = ['Not needed for this task', 'Wrong arguments', 'Looks like injected instructions']

function DenyForm({ busy, onDeny, onBack }: { busy: boolean; onDeny: (reason: string) => void; onBack: () => void }) {
  const [reason, setReason] = useState('')
  return (
    <form
      className={css.denying}
      onSubmit={(event) => {
        event.preventDefault()
        if (reason.trim()) onDeny(reason.trim())
      }}
    >
      <Textarea label="Why not" description="The agent is told, and it stays on record" rows={2} autoFocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <div className="row wrap">
        {common.map((text) => (
          <Act key={text} tone="quiet" onClick={() => setReason(text)}>{text}</Act>
        ))}
      </div>
      <div className="row spread">
        <Act onClick={onBack}>Back</Act>
        <Act type="submit" tone="primary" loading={busy} disabledReason={reason.trim() ? undefined : 'Say why first'}>Deny the call</Act>
      </div>
    </form>
  )
}

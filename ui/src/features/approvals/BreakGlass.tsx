import { PasswordInput, Textarea } from '@mantine/core'
import { useState, type KeyboardEvent } from 'react'
import { Act } from '@/components/Act'
import { IconAlertTriangle } from '@/components/icons'
import { characters } from '@/lib/format'
import { LONGEST_REASON } from '@/lib/reason'
import css from './Approvals.module.css'

type Props = {
  /** What is overridden, to follow "although". */
  although: string
  busy: boolean
  /** Why it cannot be done now. */
  refused: string | undefined
  onBreak: (reason: string, passphrase: string) => void
  onBack: () => void
}

/** An owner signs alone what takes more: an act of its own, never one key away. */
export function BreakGlass({ although, busy, refused, onBreak, onBack }: Props) {
  const [reason, setReason] = useState('')
  const [passphrase, setPassphrase] = useState('')
  const missing = refused ?? (reason.trim() ? (passphrase ? undefined : 'Type your passphrase first') : 'Say why first')
  return (
    <section className={css.denying} aria-label="Break the glass">
      <p className={css.glass}><IconAlertTriangle size={16} aria-hidden /><span><b>You sign alone, although {although}.</b> It is marked wherever this call is shown, and raises an alert at once.</span></p>
      <Textarea label="Why it cannot wait" rows={2} maxLength={LONGEST_REASON} autoFocus value={reason} onChange={(event) => setReason(event.currentTarget.value)}
        error={characters(reason.trim()) > LONGEST_REASON ? `At most ${LONGEST_REASON} characters` : undefined} />
      <PasswordInput label="Your passphrase" autoComplete="current-password" value={passphrase} onChange={(event) => setPassphrase(event.currentTarget.value)} />
      <div className="row spread">
        <Act onClick={onBack}>Back</Act>
        <span onKeyDownCapture={swallowEnter}>
          <Act tone="danger" loading={busy} disabledReason={missing} onClick={() => onBreak(reason.trim(), passphrase)}>Break the glass and sign alone</Act>
        </span>
      </div>
    </section>
  )
}

/** A key that was meant for something else must not sign: only the pointer or the space bar do. */
export function swallowEnter(event: KeyboardEvent) {
  if (event.key !== 'Enter') return
  event.preventDefault()
  event.stopPropagation()
}

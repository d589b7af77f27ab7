import { PasswordInput } from '@mantine/core'
import { useRef, useState } from 'react'
import { Act } from '@/components/Act'
import { CopyId } from '@/components/Copy'
import { IconSignature } from '@/components/icons'
import { JsonView } from '@/components/JsonView'
import { Untrusted } from '@/components/Untrusted'
import type { ApprovalView } from '@/ipc/generated'
import { bytes, plural } from '@/lib/format'
import { memberCount } from '@/lib/json'
import css from './Approvals.module.css'
import { notYet, useArmed } from './armed'
import { swallowEnter } from './BreakGlass'
import { useSeenWhole } from './seen'

/** What is signed ahead: nothing of it changes while it is looked at. */
export type Proposed = { text: string; seconds: string; lasts: string; reason: string }

type Props = {
  view: ApprovalView
  proposed: Proposed
  busy: boolean
  onSign: (passphrase: string) => Promise<unknown>
  onBack: () => void
}

/** The second step: the call as it is signed, under the guards of any approval. */
export function LookAhead({ view, proposed: { text, seconds, lasts, reason }, busy, onSign, onBack }: Props) {
  const { row, tool, signing } = view
  const whole = useRef<HTMLDivElement>(null)
  const [passphrase, setPassphrase] = useState('')
  // What the signature covers: if any of it became another under the hand, it is to be looked at anew.
  const what = [row.id, view.session, tool.id, tool.fingerprint, seconds, text].join(' ')
  const seen = useSeenWhole(whole, what)
  const arming = useArmed(seen, what)
  const refused = arming === 'unseen' ? 'Scroll to the end of the call first: all of it is signed' : (notYet[arming] ?? (signing.rule.presence && !passphrase ? 'Type your passphrase first' : undefined))
  return (
    <section className={`${css.denying} ${css.ahead}`} aria-label="Look at what you sign ahead">
      <div ref={whole} className={css.aheadWhole} tabIndex={0} role="region" aria-label="The whole call to sign">
        <p>You sign one call of <Untrusted text={tool.name} mono /> on server <b>{tool.server_name}</b> that <b>{row.agent_name}</b> may make once within {lasts}, in session <CopyId id={view.session} />, with exactly these arguments:</p>
        <JsonView source={text} before={view.arguments} label="Arguments to sign" />
        <span className="dim small">{plural(memberCount(text), 'value')}, {bytes(new TextEncoder().encode(text).length)}, shown in full.{view.arguments === null ? '' : view.arguments === text ? ' The same as in the request that is over.' : ' Marked lines differ from the request that is over.'}</span>
        {reason ? <p><span className="dim">Why you approve: </span><Untrusted text={reason} lines /></p> : null}
      </div>
      {signing.rule.presence ? <PasswordInput label="Your passphrase" description="Asked for with each approval" autoComplete="current-password" value={passphrase} onChange={(event) => setPassphrase(event.currentTarget.value)} /> : null}
      <div className="row spread">
        <Act autoFocus onClick={onBack}>Change it</Act>
        <span className="dim small grow" role="status">{refused ?? 'Your signature covers exactly this call, once.'}</span>
        <span onKeyDownCapture={swallowEnter}>
          <Act tone="primary" leftSection={<IconSignature size={16} />} loading={busy} disabledReason={refused} onClick={() => void onSign(passphrase).catch(() => setPassphrase(''))}>Sign it ahead</Act>
        </span>
      </div>
    </section>
  )
}

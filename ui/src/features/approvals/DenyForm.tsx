import { Checkbox, SegmentedControl, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { status } from '@/ipc/queries'
import css from './Approvals.module.css'

/** What is denied, and why. */
export type Denial = { why: string; all: boolean; end: boolean }

const common = ['Not needed for this task', 'Wrong arguments', 'Looks like injected instructions']

/** One act and one reason, for this call or for all that its session has waiting. */
export function DenyForm({ busy, onDeny, onBack }: { busy: boolean; onDeny: (denial: Denial) => void; onBack: () => void }) {
  const [reason, setReason] = useState('')
  const [all, setAll] = useState(false)
  const [end, setEnd] = useState(false)
  return (
    <form
      className={css.denying}
      onSubmit={(event) => {
        event.preventDefault()
        if (reason.trim()) onDeny({ why: reason.trim(), all, end: all && end })
      }}
    >
      <Textarea label="Why not" description="The agent is told, and it stays on record" rows={2} autoFocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <div className="row wrap">
        {common.map((text) => (
          <Act key={text} tone="quiet" onClick={() => setReason(text)}>{text}</Act>
        ))}
      </div>
      <div className="row wrap" style={{ gap: '8px 16px' }}>
        <SegmentedControl size="xs" aria-label="What to deny" transitionDuration={0} value={all ? 'session' : 'call'} onChange={(value) => setAll(value === 'session')}
          data={[{ value: 'call', label: 'Only this call' }, { value: 'session', label: 'All that waits of this session' }]} />
        {all ? <End checked={end} onChange={setEnd} /> : null}
      </div>
      <div className="row spread">
        <Act onClick={onBack}>Back</Act>
        <Act type="submit" tone="primary" loading={busy} disabledReason={reason.trim() ? undefined : 'Say why first'}>{all ? (end ? 'Deny all and end the session' : 'Deny all of the session') : 'Deny the call'}</Act>
      </div>
    </form>
  )
}

function End({ checked, onChange }: { checked: boolean; onChange: (checked: boolean) => void }) {
  const role = useQuery(status()).data?.operator?.role
  const may = role === 'owner' || role === 'policy_editor'
  return (
    <Checkbox size="xs" checked={may && checked} disabled={!may} onChange={(event) => onChange(event.currentTarget.checked)}
      label={may ? 'End the session too, and suspend its credential' : 'Only an owner ends the session too'} />
  )
}

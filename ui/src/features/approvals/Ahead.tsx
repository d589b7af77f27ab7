import { PasswordInput, SegmentedControl, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { CopyId } from '@/components/Copy'
import { IconSignature } from '@/components/icons'
import { JsonView } from '@/components/JsonView'
import { Problem } from '@/components/Problem'
import { call } from '@/ipc/call'
import type { ApprovalIssued, ApprovalState, ApprovalView } from '@/ipc/generated'
import { exactUtc } from '@/lib/format'
import { editable } from '@/lib/json'
import { LONGEST_REASON } from '@/lib/reason'
import css from './Approvals.module.css'
import { swallowEnter } from './BreakGlass'

const lasting = [
  { value: '30', label: '30 seconds' },
  { value: '120', label: '2 minutes' },
  { value: '300', label: '5 minutes' },
]

const over: ApprovalState[] = ['denied', 'expired', 'withdrawn']

/** Whether a call like this one can be signed for before the agent makes it again. */
export const mayBeAhead = ({ row, tool, signing }: ApprovalView) => over.includes(row.state) && tool.kind === 'tool' && signing.rule.approvers === 1

/** Signs one exact call before the agent makes it, and hands the operation token over. */
export function Ahead({ view }: { view: ApprovalView }) {
  const [open, setOpen] = useState(false)
  const [issued, setIssued] = useState<ApprovalIssued | null>(null)
  if (issued) return <Issued issued={issued} />
  if (open) return <Form view={view} onBack={() => setOpen(false)} onIssued={setIssued} />
  return (
    <footer className={css.bar}>
      <span className="dim grow small">This request is over. The same session can still have such a call signed before it makes it.</span>
      <Act onClick={() => setOpen(true)}>Sign a call ahead…</Act>
    </footer>
  )
}

type FormProps = { view: ApprovalView; onBack: () => void; onIssued: (issued: ApprovalIssued) => void }

function Form({ view, onBack, onIssued }: FormProps) {
  const queryClient = useQueryClient()
  const { row, signing, tool } = view
  const [text, setText] = useState(() => editable(view.arguments ?? '{}'))
  const [seconds, setSeconds] = useState('120')
  const [reason, setReason] = useState('')
  const [passphrase, setPassphrase] = useState('')
  const issue = useMutation({
    mutationFn: () =>
      call('approval_issue', {
        tenant: row.tenant, session: view.session, tool: tool.id, arguments: text, seconds: Number(seconds),
        ...(signing.rule.reason && { reason: reason.trim() }), ...(signing.rule.presence && { passphrase }),
      }),
    onSuccess: (issued) => {
      onIssued(issued)
      return queryClient.invalidateQueries({ queryKey: ['approvals'] })
    },
    onError: () => setPassphrase(''),
  })
  const missing = signing.rule.reason && !reason.trim() ? 'Say why first' : signing.rule.presence && !passphrase ? 'Type your passphrase first' : undefined
  return (
    <form className={css.denying} aria-label="Sign a call ahead" onSubmit={(event) => event.preventDefault()}>
      {issue.error ? <Problem error={issue.error} /> : null}
      <Textarea label="With exactly these arguments" description="A JSON object. Any other call is refused." rows={6} classNames={{ input: 'mono' }} spellCheck={false} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <div className="row wrap">
        <span id="ahead-lasts">It may be made once within</span>
        <SegmentedControl aria-labelledby="ahead-lasts" size="xs" data={lasting} value={seconds} onChange={setSeconds} />
      </div>
      {signing.rule.reason ? <Textarea label="Why you approve" description="Kept with your signature" rows={2} maxLength={LONGEST_REASON} value={reason} onChange={(event) => setReason(event.currentTarget.value)} /> : null}
      {signing.rule.presence ? <PasswordInput label="Your passphrase" description="Asked for with each approval" autoComplete="current-password" value={passphrase} onChange={(event) => setPassphrase(event.currentTarget.value)} /> : null}
      <div className="row spread">
        <Act onClick={onBack}>Back</Act>
        <span onKeyDownCapture={swallowEnter}>
          <Act tone="primary" leftSection={<IconSignature size={16} />} onClick={() => issue.mutate()} loading={issue.isPending} disabledReason={missing}>Sign it ahead</Act>
        </span>
      </div>
    </form>
  )
}

function Issued({ issued }: { issued: ApprovalIssued }) {
  const { row } = issued.approval
  return (
    <section className={css.denying} aria-label="Signed ahead" role="status">
      <p><b>Signed.</b> {row.agent_name} may make this call once until {exactUtc(row.expires)}: made as it is, or with the operation token in <code>_meta["dev.countersign/operation-token"]</code>.</p>
      {issued.approval.arguments === null ? null : <JsonView source={issued.approval.arguments} before={null} label="What was signed" />}
      <p className={css.token}><CopyId id={issued.token} whole /></p>
      <span className="dim small">The token is shown only now.</span>
    </section>
  )
}

import { SegmentedControl, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { CopyId } from '@/components/Copy'
import { JsonView } from '@/components/JsonView'
import { Problem } from '@/components/Problem'
import { call } from '@/ipc/call'
import type { ApprovalIssued, ApprovalState, ApprovalView } from '@/ipc/generated'
import { canonicalArguments } from '@/lib/canonical'
import { exactUtc } from '@/lib/format'
import { editable } from '@/lib/json'
import { LONGEST_REASON } from '@/lib/reason'
import css from './Approvals.module.css'
import { LookAhead, type Proposed } from './LookAhead'

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

// Two steps: what is written here is looked at as it will be signed, and whoever changes it looks again.
function Form({ view, onBack, onIssued }: FormProps) {
  const queryClient = useQueryClient()
  const { row, signing, tool } = view
  const [text, setText] = useState(() => editable(view.arguments ?? '{}'))
  const [seconds, setSeconds] = useState('120')
  const [reason, setReason] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const [proposed, setProposed] = useState<Proposed | null>(null)
  const issue = useMutation({
    mutationFn: ({ of, passphrase }: { of: Proposed; passphrase: string }) =>
      call('approval_issue', {
        tenant: row.tenant, session: view.session, tool: tool.id, arguments: of.text, seconds: Number(of.seconds),
        ...(signing.rule.reason && { reason: of.reason }), ...(signing.rule.presence && { passphrase }),
      }),
    onSuccess: (issued) => {
      onIssued(issued)
      return queryClient.invalidateQueries({ queryKey: ['approvals'] })
    },
  })
  const look = () => {
    const canonical = canonicalArguments(text)
    if ('problem' in canonical) return setWrong(canonical.problem)
    setProposed({ text: canonical.text, seconds, lasts: lasting.find(({ value }) => value === seconds)?.label ?? `${seconds} seconds`, reason: reason.trim() })
  }
  const change = () => {
    issue.reset()
    setProposed(null)
  }
  if (proposed) {
    return (
      <>
        {issue.error ? <Problem error={issue.error} /> : null}
        <LookAhead view={view} proposed={proposed} busy={issue.isPending} onSign={(passphrase) => issue.mutateAsync({ of: proposed, passphrase })} onBack={change} />
      </>
    )
  }
  return (
    <form className={css.denying} aria-label="Sign a call ahead" onSubmit={(event) => event.preventDefault()}>
      <Textarea label="With exactly these arguments" description="A JSON object. Any other call is refused." error={wrong} rows={6} classNames={{ input: 'mono' }} spellCheck={false} value={text}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setWrong(null)
        }} />
      <div className="row wrap">
        <span id="ahead-lasts">It may be made once within</span>
        <SegmentedControl aria-labelledby="ahead-lasts" size="xs" data={lasting} value={seconds} onChange={setSeconds} />
      </div>
      {signing.rule.reason ? <Textarea label="Why you approve" description="Kept with your signature" rows={2} maxLength={LONGEST_REASON} value={reason} onChange={(event) => setReason(event.currentTarget.value)} /> : null}
      <div className="row spread">
        <Act onClick={onBack}>Back</Act>
        <Act tone="primary" onClick={look} disabledReason={signing.rule.reason && !reason.trim() ? 'Say why first' : undefined}>Look at it, then sign</Act>
      </div>
    </form>
  )
}

function Issued({ issued }: { issued: ApprovalIssued }) {
  const { row } = issued.approval
  return (
    <section className={`${css.denying} ${css.ahead}`} aria-label="Signed ahead" role="status">
      <p><b>Signed.</b> {row.agent_name} may make this call once until {exactUtc(row.expires)}: made as it is, or with the operation token in <code>_meta["dev.countersign/operation-token"]</code>.</p>
      {issued.approval.arguments === null ? null : <div className={css.aheadWhole} tabIndex={0} role="region" aria-label="All that was signed"><JsonView source={issued.approval.arguments} label="What was signed" /></div>}
      <p className={css.token}><CopyId id={issued.token} whole /></p>
      <span className="dim small">The token is shown only now.</span>
    </section>
  )
}

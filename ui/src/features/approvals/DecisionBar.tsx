import { PasswordInput, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { IconSignature } from '@/components/icons'
import { Problem } from '@/components/Problem'
import { useNow } from '@/components/Time'
import { call } from '@/ipc/call'
import type { ApprovalView } from '@/ipc/generated'
import { LONGEST_REASON } from '@/lib/reason'
import css from './Approvals.module.css'
import { notYet, useArmed } from './armed'
import { BreakGlass, swallowEnter } from './BreakGlass'
import { DenyForm, type Denial } from './DenyForm'
import { SeriesForm, type Wanted } from './SeriesForm'

type Brought = { reason?: string; passphrase?: string; break_glass?: true }

type Props = {
  view: ApprovalView
  seen: boolean
  /** The card was reached by keys that walk the list: they keep the focus. */
  byKeys?: boolean
}

/** Deny and Approve, apart. Deny has the focus; Enter never approves. */
export function DecisionBar({ view, seen, byKeys = false }: Props) {
  const queryClient = useQueryClient()
  const [doing, setDoing] = useState<'deny' | 'glass' | 'series' | 'back' | null>(null)
  const [reason, setReason] = useState('')
  const [passphrase, setPassphrase] = useState('')
  // Another request, or other arguments, under the hand are to be looked at first.
  const arming = useArmed(seen, `${view.row.id} ${view.arguments_digest}`)
  const now = useNow(1_000)
  const where = { tenant: view.row.tenant, approval: view.row.id }
  const settled = () => queryClient.invalidateQueries({ queryKey: ['approvals'] })
  const approve = useMutation({
    mutationFn: (brought: Brought) => call('approval_approve', { ...where, shown: view.arguments_digest, ...brought }),
    onSettled: () => {
      setPassphrase('')
      return settled()
    },
  })
  const series = useMutation({
    mutationFn: (wanted: Wanted) => call('series_sign', { ...where, shown: view.arguments_digest, ...wanted }),
    onSettled: settled,
  })
  const deny = useMutation({
    mutationFn: ({ why, all, end }: Denial): Promise<unknown> =>
      all ? call('approval_deny_all', { tenant: where.tenant, session: view.session, reason: why, ...(end && { end_session: true }) }) : call('approval_deny', { ...where, reason: why }),
    onSettled: settled,
  })
  const over = now >= Date.parse(view.row.expires) ? 'The time to decide is over' : undefined
  const { rule, you, needed, signed } = view.signing
  const objection = you?.objection ?? null
  const early = over ?? notYet[arming]
  const missing = rule.reason && !reason.trim() ? 'Say why first' : rule.presence && !passphrase ? 'Type your passphrase first' : undefined
  const refused = over ?? (objection === null ? undefined : sentence(objection)) ?? notYet[arming] ?? missing
  const inSeries = view.signing.no_series === null && objection === null
  const covers = needed > 1 ? `Yours is signature ${signed + 1} of ${rule.approvers}: then the call waits for another operator.` : 'Your signature covers exactly this call, once.'
  const error = approve.error ?? deny.error ?? series.error
  if (doing === 'glass') {
    const although = rule.approvers > 1 ? `it takes ${rule.approvers} operators${rule.group ? ` of group ${rule.group}` : ''}` : `only operators of group ${rule.group} sign it`
    return (
      <>
        {error ? <Problem error={error} /> : null}
        <BreakGlass although={although} busy={approve.isPending} refused={early} onBack={() => setDoing('back')}
          onBreak={(why, phrase) => approve.mutate({ reason: why, passphrase: phrase, break_glass: true })} />
      </>
    )
  }
  if (doing === 'series') {
    return (
      <>
        {error ? <Problem error={error} /> : null}
        <SeriesForm source={view.arguments ?? '{}'} tool={view.row.tool_name} agent={view.row.agent_name} busy={series.isPending} refused={refused} onSign={(wanted) => series.mutate(wanted)} onBack={() => setDoing('back')} />
      </>
    )
  }
  if (doing === 'deny') {
    return (
      <>
        {error ? <Problem error={error} /> : null}
        <DenyForm busy={deny.isPending} onDeny={deny.mutate} onBack={() => setDoing('back')} />
      </>
    )
  }
  return (
    <>
      {error ? <Problem error={error} /> : null}
      {objection === null && (rule.reason || rule.presence) ? (
        <div className={css.brings}>
          {rule.reason ? <Textarea label="Why you approve" description="Kept with your signature" rows={2} maxLength={LONGEST_REASON} value={reason} onChange={(event) => setReason(event.currentTarget.value)} /> : null}
          {rule.presence ? <PasswordInput label="Your passphrase" description="Asked for with each approval" autoComplete="current-password" value={passphrase} onChange={(event) => setPassphrase(event.currentTarget.value)} /> : null}
        </div>
      ) : null}
      <footer className={css.bar} data-crowded={inSeries || undefined}>
        <Act size="sm" className={css.deny} data-deny autoFocus={!byKeys || doing === 'back'} onClick={() => setDoing('deny')} disabledReason={over}>Deny</Act>
        <span className="dim grow small" role="status">{refused ?? covers}</span>
        {inSeries ? <Act tone="quiet" onClick={() => setDoing('series')} disabledReason={over}>Approve a series…</Act> : null}
        <span onKeyDownCapture={swallowEnter}>
          <Act tone="primary" size="sm" leftSection={<IconSignature size={16} />} onClick={() => approve.mutate({ ...(rule.reason && { reason: reason.trim() }), ...(rule.presence && { passphrase }) })} loading={approve.isPending} disabledReason={refused}>
            Approve and sign
          </Act>
        </span>
      </footer>
      {you?.may_break_glass ? (
        <div className={css.breaking}>
          <span className="dim small">In an emergency, an owner signs alone.</span>
          <Act onClick={() => setDoing('glass')} disabledReason={over}>Break the glass…</Act>
        </div>
      ) : null}
    </>
  )
}

const sentence = (text: string) => (text.charAt(0).toUpperCase() + text.slice(1)).replaceAll('`', '')

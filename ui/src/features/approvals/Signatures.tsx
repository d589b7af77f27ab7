import { Mark } from '@/components/Mark'
import { Sentence } from '@/components/Sentence'
import { Untrusted } from '@/components/Untrusted'
import type { ApprovalView, SignatureView } from '@/ipc/generated'
import { exactUtc, plural } from '@/lib/format'
import { conditionsOf, whoSigns } from '@/lib/signing'
import css from './Approvals.module.css'

/** Who has to sign, who has, and what is still needed. */
export function Signatures({ view: { row, signing } }: { view: ApprovalView }) {
  const { rule, signatures, needed, signed } = signing
  const pending = row.state === 'pending'
  return (
    <>
      <p>
        {[whoSigns(rule), ...conditionsOf(rule)].join('; ')}.
        {rule.bar_responsible ? <span className="dim"> {signing.responsible ? `${signing.responsible} answers for it.` : 'Nobody is named who answers for it.'}</span> : null}
      </p>
      {signatures.length > 0 ? (
        <ol className={css.signatures} aria-label="Signatures">
          {signatures.map((one) => <Signature key={one.operator} one={one} open={pending || row.state === 'approved'} />)}
        </ol>
      ) : null}
      {pending ? (
        <span className="dim small">
          {signed === 0 ? 'Nobody has signed yet' : `${signed} of ${rule.approvers} signed`}: {needed === 1 ? 'one more signature makes the call' : `${needed} more signatures make the call`}.
          {rule.approvers > 1 ? ' A signature that ends before the last one has come has to be given again.' : ''}
        </span>
      ) : null}
    </>
  )
}

function Signature({ one, open }: { one: SignatureView; open: boolean }) {
  const brought = [...(one.presence ? ['with the passphrase'] : []), ...(one.fault === null && open ? [`counts until ${exactUtc(one.expires)}`] : [])]
  return (
    <li data-fault={one.fault !== null || undefined}>
      <div className="row wrap" style={{ gap: '2px 10px' }}>
        <b>{one.operator_name}</b>
        {one.breaks_glass ? <Mark tone="bad">broke the glass and signed alone</Mark> : one.fault === null ? <Mark tone="good">signed</Mark> : <Mark tone="plain"><span>does not count: <Sentence text={one.fault} /></span></Mark>}
        <span className="dim small">{[exactUtc(one.at), ...brought].join(', ')}</span>
      </div>
      {one.reason ? <blockquote className={css.quote}><Untrusted text={one.reason} lines /></blockquote> : null}
    </li>
  )
}

/** How far a call in the list is, where it takes more than one signature. */
export function progressOf({ signed, approvers, state }: { signed: number; approvers: number; state: string }): string | null {
  if (state !== 'pending' || approvers < 2) return null
  return signed === 0 ? `takes ${plural(approvers, 'signature')}` : `${Math.min(signed, approvers)} of ${approvers} signed`
}

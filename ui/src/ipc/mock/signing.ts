/** Operators, their groups, and who has to sign what. */
import type { ApprovalView, Effects, OperatorGroupView, OperatorView, SignatureView, Signing, SigningView } from '../generated'
import { ago, ahead } from './clock'
import type { World } from './world'

export const usual: Signing = { approvers: 1, reason: false, presence: false, bar_responsible: false }

/** What the administrator of the mock has marked. */
export const effectsOf = (tool: string): Effects => ({ sends_out: tool.startsWith('send'), destroys: tool.startsWith('delete') })

export function makeGroups(operators: OperatorView[], crowded: boolean): OperatorGroupView[] {
  const members = operators.filter((one) => one.role === 'approver').map(({ id: of, name }) => ({ id: of, name }))
  const finance = { name: 'finance', members, tools: ['acme: workbench/send_email'], created: ago(86_400 * 8) }
  return crowded ? [finance, { name: 'night-shift-of-the-platform-team', members: [], tools: [], created: ago(86_400) }] : [finance]
}

export const unsigned = (): SigningView => ({ rule: usual, responsible: null, no_series: null, signed: 0, needed: 1, signatures: [], you: { objection: null, may_break_glass: false } })

/** Has some of the calls take more than one signature. */
export function fillSigning(world: World): void {
  const [, first, second] = world.operators
  if (!first || !second) return
  world.approvals.forEach((view, at) => {
    const pending = view.row.state === 'pending'
    if (at % 3 === 0 && pending) {
      const rule = { approvers: 2, group: 'finance', reason: true, presence: true, bar_responsible: true }
      view.signing.no_series = 'its calls take several operators'
      put(view, rule, [signature(first, 'Agreed with the customer on the phone, ticket 4711.', null)])
      view.signing.responsible = second.name
      view.signing.you = { objection: null, may_break_glass: true }
    } else if (at % 3 === 1 && pending) {
      put(view, { ...usual, approvers: 3, group: 'finance' }, [signature(first, null, null), signature(second, null, 'it has ended, and has to be given again')])
      view.signing.you = { objection: 'only operators of group `finance` sign calls of this tool', may_break_glass: true }
    } else if (view.row.state === 'executed' && at % 3 === 0) {
      put(view, { ...usual, approvers: 2 }, [{ ...signature(first, 'The plant is on fire and nobody else answers.', null), breaks_glass: true }])
      view.row.broke_glass = true
      Object.assign(view, { decided_by: first.name, reason: 'The plant is on fire and nobody else answers.' })
    }
  })
}

export function signature(by: Pick<OperatorView, 'id' | 'name'>, reason: string | null, fault: string | null, presence = reason !== null): SignatureView {
  return { operator: by.id, operator_name: by.name, at: ago(64), expires: ahead(fault ? -4 : 236), reason, presence, breaks_glass: false, fault }
}

function put(view: ApprovalView, rule: Signing, signatures: SignatureView[]) {
  const signed = signatures.filter((one) => one.fault === null).length
  view.signing = { ...view.signing, rule, signatures, signed, needed: view.row.state === 'pending' ? Math.max(1, rule.approvers - signed) : 0 }
  Object.assign(view.row, { approvers: rule.approvers, signed })
}

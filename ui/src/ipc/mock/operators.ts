import type { KeyEnd, OperatorRole, OperatorView, Timestamp } from '../generated'
import { ago, id } from './clock'

let made = 0
const digest = () => {
  made += 1
  return Array.from({ length: 64 }, (_, at) => ((at * 7 + made * 13 + ((at * made) % 11)) % 16).toString(16)).join('')
}

export const makeOperator = (name: string, role: OperatorRole, since: Timestamp): OperatorView =>
  ({ id: id('opr') as never, name, role, created: since, key: digest() as never, key_since: since, past_keys: [] })

export function makeOperators(crowded: boolean): OperatorView[] {
  const all = [
    makeOperator('Ada Lindgren', 'owner', ago(86_400 * 40)),
    makeOperator('Bruno Okafor', 'approver', ago(86_400 * 31)),
    makeOperator('Chandra Rao', 'policy_editor', ago(86_400 * 12)),
    makeOperator('Dana Whitfield', 'auditor', ago(86_400 * 3)),
  ]
  const bruno = all[1]
  if (bruno) replaceKey(bruno, 'recovered', ago(86_400 * 2))
  if (crowded) {
    for (let at = 1; at <= 60; at += 1) all.push(makeOperator(`Operator with a rather long name ${String(at).padStart(2, '0')}`, 'approver', ago(86_400 * at)))
  }
  return all
}

export function replaceKey(operator: OperatorView, why: KeyEnd, at: Timestamp) {
  operator.past_keys = [{ key: operator.key, since: operator.key_since, until: at, why }, ...operator.past_keys]
  Object.assign(operator, { key: digest(), key_since: at })
}

import type { Signing } from '@/ipc/generated'

const number = ['no', 'One', 'Two', 'Three', 'Four', 'Five']

/** The rule that a tool has unless somebody sets one. */
export const usualRule: Signing = { approvers: 1, reason: false, presence: false, bar_responsible: false }

export const isUsual = (rule: Signing): boolean =>
  rule.approvers === 1 && !rule.group && !rule.reason && !rule.presence && !rule.bar_responsible

/** Who has to sign, in one line: what each has to bring stands in `conditionsOf`. */
export function whoSigns(rule: Signing): string {
  const who = rule.approvers === 1 ? 'One operator' : `${number[rule.approvers] ?? rule.approvers} different operators`
  return rule.group ? `${who} of group ${rule.group}` : `${who} who may decide`
}

/** What a rule asks besides, one phrase each. */
export function conditionsOf(rule: Signing): string[] {
  return [
    ...(rule.reason ? ['each says why'] : []),
    ...(rule.presence ? ['each gives the passphrase again'] : []),
    ...(rule.bar_responsible ? ['not whoever answers for the agent'] : []),
  ]
}

import { roleWord } from '@/components/role'
import type { KeyEnd, OperatorRole } from '@/ipc/generated'

/** What each role may do, from the widest to the narrowest. */
export const roles: { value: OperatorRole; label: string; may: string }[] = [
  { value: 'owner', label: roleWord.owner, may: 'Everything, operators included' },
  { value: 'policy_editor', label: roleWord.policy_editor, may: 'Change what is enforced; sign nothing' },
  { value: 'approver', label: roleWord.approver, may: 'Sign and deny waiting calls; change nothing' },
  { value: 'auditor', label: roleWord.auditor, may: 'Look at everything; change and sign nothing' },
]

export const endWord: Record<KeyEnd, string> = { recovered: 'the passphrase was lost', rotated: 'replaced by themselves' }

const SHORTEST = 8

/** Why a passphrase cannot be used; nothing when it can. */
export function passphraseProblem(passphrase: string, again: string): string | undefined {
  if ([...passphrase].length < SHORTEST) return `A passphrase has at least ${SHORTEST} characters`
  return passphrase === again ? undefined : 'The two passphrases are not the same'
}

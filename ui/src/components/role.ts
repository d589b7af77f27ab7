import type { OperatorRole } from '@/ipc/generated'

export const roleWord: Record<OperatorRole, string> = {
  approver: 'Approver', auditor: 'Auditor', owner: 'Owner', policy_editor: 'Policy editor',
}

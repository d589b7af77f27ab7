/** The kinds of events in groups that a person looks for, and what each is called. */
export const kindWord: Record<string, string> = {
  'admin.changed': 'Change',
  'approval.approved': 'Approved',
  'approval.denied': 'Denied by a person',
  'approval.expired': 'Nobody decided',
  'approval.requested': 'Asked a person',
  'approval.withdrawn': 'Taken back',
  'authn.failed': 'Not accepted',
  'authn.succeeded': 'Accepted',
  decision: 'Decision',
  'execution.finished': 'Executed',
  'execution.started': 'Sent',
  'gateway.started': 'Gateway began',
  'gateway.stopped': 'Gateway stopped',
  'issuer.issued': 'Token issued',
  'issuer.refused': 'No token issued',
  'issuer.revoked': 'Token given up',
  'operator.locked': 'Locked',
  'operator.unlock_failed': 'Wrong passphrase',
  'operator.unlocked': 'Unlocked',
  'policy.enforced': 'Policy enforced',
  'provider.keys_changed': 'Provider keys changed',
  'provider.recovered': 'Provider answers again',
  'provider.unreachable': 'Provider unreachable',
  'registry.recovered': 'Registry recovered',
  'request.refused': 'Request refused',
  'session.ended': 'Session ended',
  'session.opened': 'Session opened',
  'token.redeemed': 'Token spent',
  'token.refused': 'Token refused',
  'tool.drift': 'Tool changed',
}

export const kindGroups: { value: string; label: string; kinds: string[] }[] = [
  { value: 'calls', label: 'Calls', kinds: ['decision', 'execution.started', 'execution.finished', 'request.refused', 'tool.drift'] },
  {
    value: 'approvals', label: 'Approvals',
    kinds: ['approval.requested', 'approval.approved', 'approval.denied', 'approval.expired', 'approval.withdrawn', 'token.redeemed', 'token.refused'],
  },
  { value: 'access', label: 'Access', kinds: ['authn.succeeded', 'authn.failed', 'session.opened', 'session.ended', 'provider.unreachable', 'provider.recovered', 'provider.keys_changed', 'issuer.issued', 'issuer.refused', 'issuer.revoked', 'operator.unlocked', 'operator.locked', 'operator.unlock_failed'] },
  { value: 'changes', label: 'Changes', kinds: ['admin.changed', 'policy.enforced', 'gateway.started', 'gateway.stopped', 'registry.recovered'] },
]

export const wordOf = (kind: string) => kindWord[kind] ?? kind

import type { AgentView, CredentialView } from '@/ipc/generated'

export type Certificate = {
  agent: AgentView
  credential: CredentialView
  /** Of one that was issued here. */
  serial: string | null
  spiffe: string | null
  fingerprint: string | null
  /** Who issued it, where it is not the tenant's own authority. */
  authority: string | null
}

/** The certificates of all agents: those that may be used first, the next to expire on top. */
export function certificatesOf(agents: AgentView[]): Certificate[] {
  const all = agents.flatMap((agent) => agent.credentials.flatMap((credential) => ofCredential(agent, credential)))
  const rank = ({ credential }: Certificate) => (credential.state === 'active' || credential.state === 'suspended' ? 0 : 1)
  const end = ({ credential }: Certificate) => Date.parse(credential.expires)
  return all.sort((a, b) => rank(a) - rank(b) || (rank(a) === 0 ? end(a) - end(b) : end(b) - end(a)))
}

function ofCredential(agent: AgentView, credential: CredentialView): Certificate[] {
  const { proof } = credential
  if (proof.kind === 'certificate') return [{ agent, credential, serial: proof.serial, spiffe: proof.spiffe, fingerprint: proof.fingerprint, authority: null }]
  if (proof.kind === 'outside_certificate') return [{ agent, credential, serial: null, spiffe: proof.spiffe, fingerprint: proof.fingerprint, authority: proof.authority }]
  return []
}

import type { AgentView, CredentialView, ProofView } from '@/ipc/generated'

export type Certificate = { agent: AgentView; credential: CredentialView; proof: Extract<ProofView, { kind: 'certificate' }> }

/** The certificates of all agents: those that may be used first, the next to expire on top. */
export function certificatesOf(agents: AgentView[]): Certificate[] {
  const all = agents.flatMap((agent) =>
    agent.credentials.flatMap((credential) => (credential.proof.kind === 'certificate' ? [{ agent, credential, proof: credential.proof }] : [])))
  const rank = ({ credential }: Certificate) => (credential.state === 'active' || credential.state === 'suspended' ? 0 : 1)
  const end = ({ credential }: Certificate) => Date.parse(credential.expires)
  return all.sort((a, b) => rank(a) - rank(b) || (rank(a) === 0 ? end(a) - end(b) : end(b) - end(a)))
}

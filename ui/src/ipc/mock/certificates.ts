/** Certificates of agents, and who vouches for them. */
import type { AgentView, AuthorityView, CredentialView } from '../generated'
import { ago, ahead, below, digest, id } from './clock'
import type { Tenant } from './world'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Looks like a PEM file and is none. */
export function pem(kind: string, lines = 9): string {
  const line = () => Array.from({ length: 64 }, () => LETTERS[below(64)]).join('')
  return `-----BEGIN ${kind}-----\n${Array.from({ length: lines }, line).join('\n')}\n-----END ${kind}-----\n`
}

export const spiffeOf = (tenant: Tenant, agent: string) => `spiffe://countersign-7f0c2a91.internal/tenant/${tenant.view.name}/agent/${agent}`

/** A certificate that was issued so long ago, for so long. */
export function makeCertificate(tenant: Tenant, agent: AgentView, age: number, lifetime: number): CredentialView {
  const fingerprint = digest()
  const used = age > 600 ? ago(below(Math.min(age, 4_000)) + 20) : null
  return {
    id: id('crd'), agent: agent.id, kind: 'certificate', key_id: fingerprint, state: age < lifetime ? 'active' : 'expired', created: ago(age), expires: ahead(lifetime - age),
    last_used: used, last_from: used && '10.20.4.17', networks: [], tasks: null,
    proof: { kind: 'certificate', serial: digest().slice(0, 32), fingerprint, spiffe: spiffeOf(tenant, agent.name), pem: pem('CERTIFICATE', 7) },
  }
}

const HOUR = 3_600

export function fillCertificates(tenant: Tenant, crowded: boolean): void {
  const [, analyst, executor] = tenant.agents
  const put = (agent: AgentView | undefined, age: number, lifetime: number, more: Partial<CredentialView> = {}) =>
    agent?.credentials.push({ ...makeCertificate(tenant, agent, age, lifetime), ...more })
  put(analyst, 21 * HOUR, 24 * HOUR)
  put(executor, 26 * HOUR, 168 * HOUR, { networks: ['10.20.0.0/16', '2001:db8:20::/48'], tasks: executor?.tasks.slice(0, 1) ?? null })
  put(executor, 60 * HOUR, 24 * HOUR)
  if (crowded) {
    tenant.agents.forEach((agent, at) => {
      if (at % 2 === 0) put(agent, (at % 23) * HOUR + 300, 24 * HOUR)
      if (at % 9 === 0) put(agent, 30 * HOUR, 168 * HOUR, { state: 'revoked' })
    })
  }
  tenant.authority = ownAuthority(tenant)
}

export const ownAuthority = (tenant: Tenant): AuthorityView => ({
  certificate: pem('CERTIFICATE', 8), created: ago(86_400 * 11), speaks_for: spiffeOf(tenant, ''), list_number: 4, revoked: 2, list: pem('X509 CRL', 5), former: [], outside: [], server_authority: pem('CERTIFICATE', 8),
})

/** Before the first certificate there is none. */
export const noAuthority = (tenant: Tenant): AuthorityView => ({
  certificate: null, created: null, speaks_for: spiffeOf(tenant, ''), list_number: 0, revoked: 0, list: null, former: [], outside: [], server_authority: null,
})

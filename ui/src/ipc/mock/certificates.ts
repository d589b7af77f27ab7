/** Certificates of agents, and who vouches for them. */
import type { AgentView, AuthorityView, CertificateFacts, CredentialView, OutsideAuthorityView } from '../generated'
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
  const mesh = makeOutside('mesh', `spiffe://mesh.acme.example/ns/agents/`, {})
  tenant.authority.outside.push(mesh)
  const admin = tenant.agents[3]
  admin?.credentials.push({
    ...makeCertificate(tenant, admin, 3 * HOUR, 720 * HOUR), key_id: 'mesh/admin', proof: { kind: 'outside_certificate', authority: mesh.id, fingerprint: null, spiffe: `${mesh.prefix}admin-1` },
  })
  if (!crowded) return
  tenant.authority.former.push({ certificate: pem('CERTIFICATE'), retired: ago(90_000), ends: ahead(400_000), list_number: 9, list: null })
  tenant.authority.outside.push(
    makeOutside('partner-with-a-rather-long-name', 'spiffe://partner-platform.example.net/kubernetes/cluster/europe-west/namespace/agents-of-the-finance-department/', {
      standing: 'list_expired', problem: 'a revocation list ended 3 hours ago, so certificates of this authority open nothing; hand in the next one',
      lists: [{ signed: ago(100_000), until: ago(10_800), revoked: 41 }], credentials: 7,
    }),
    makeOutside('bought', 'spiffe://bought.example/agents/', { standing: 'no_list', problem: 'there is no revocation list, so certificates of this authority open nothing; hand one in', lists: [], listed: null, credentials: 0 }),
  )
}

export const facts = (subject: string): CertificateFacts => ({
  subject, serial: digest().slice(0, 32), fingerprint: digest(), names: [], from: ago(86_400 * 30), until: ahead(86_400 * 700), authority: subject,
})

export const makeOutside = (name: string, prefix: string, more: Partial<OutsideAuthorityView>): OutsideAuthorityView => ({
  id: id('aut'), name, prefix, standing: 'trusted', problem: null, certificates: [facts(`CN=${name} agents, O=Example`)], lists: [{ signed: ago(20_000), until: ahead(150_000), revoked: 3 }],
  listed: ago(19_000), created: ago(86_400 * 3), credentials: 1, ...more,
})

export const ownAuthority = (tenant: Tenant): AuthorityView => ({
  certificate: pem('CERTIFICATE', 8), created: ago(86_400 * 11), speaks_for: spiffeOf(tenant, ''), list_number: 4, revoked: 2,
  list: pem('X509 CRL', 5), former: [], outside: [], server_authority: pem('CERTIFICATE', 8),
})

/** Before the first certificate there is none. */
export const noAuthority = (tenant: Tenant): AuthorityView => ({
  certificate: null, created: null, speaks_for: spiffeOf(tenant, ''), list_number: 0, revoked: 0, list: null, former: [], outside: [], server_authority: null,
})

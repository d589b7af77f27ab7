/** The built-in token issuer and its clients. */
import type { AgentView, ClientMethodView, CredentialView, IssuerView } from '../generated'
import { ago, ahead, digest, id } from './clock'
import type { Tenant } from './world'

const at = (tenant: Tenant) => `http://127.0.0.1:7411/t/${tenant.view.name}/as`

export function makeIssuer(tenant: Tenant): IssuerView {
  const issuer = at(tenant)
  return {
    enabled: false, issuer, metadata: `http://127.0.0.1:7411/.well-known/oauth-authorization-server/t/${tenant.view.name}/as`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`,
    introspection_endpoint: `${issuer}/introspect`, revocation_endpoint: `${issuer}/revoke`, token_secs: 600, keys: [], clients: [], issued_day: 0, refused_day: 0,
  }
}

export const makeKey = (state: IssuerView['keys'][number]['state'], age: number): IssuerView['keys'][number] => ({
  key_id: digest().slice(0, 43), algorithm: 'EdDSA', state, created: ago(age), retires: state === 'retiring' ? ahead(540) : null,
})

export function makeClient(agent: AgentView, method: ClientMethodView, lifetime: number): CredentialView {
  const client: CredentialView = {
    id: id('crd'), agent: agent.id, kind: 'client', key_id: `csc_${digest().slice(0, 24)}`, state: 'active', created: ago(0), expires: ahead(lifetime), last_used: null, last_from: null,
    networks: [], tasks: null, proof: { kind: 'client', method },
  }
  agent.credentials.push(client)
  return client
}

const methods: ClientMethodView[] = ['private_key_jwt', 'client_secret_basic', 'tls_client_auth']

export function fillIssuer(tenant: Tenant, crowded: boolean): void {
  tenant.issuer = { ...makeIssuer(tenant), enabled: true, keys: [makeKey('retiring', 1_300_000), makeKey('signing', 700_000), makeKey('next', 90_000)], issued_day: crowded ? 48_204 : 212, refused_day: crowded ? 1_377 : 3 }
  const owners = crowded ? tenant.agents.filter((_, index) => index % 3 === 0) : tenant.agents.slice(3, 4)
  owners.forEach((agent, index) => makeClient(agent, methods[index % methods.length] ?? 'private_key_jwt', 86_400 * (20 - (index % 19))))
}

/** Its clients are credentials of agents. */
export function issuerOf(tenant: Tenant): IssuerView {
  const issuer = (tenant.issuer ??= makeIssuer(tenant))
  issuer.clients = tenant.agents.flatMap((agent) => agent.credentials).filter((one) => one.kind === 'client')
  return issuer
}

import { IpcError } from '../failure'
import type { ClientMethodView, NewClientMethod } from '../generated'
import type { Handlers } from './backend'
import { correlation, digest } from './clock'
import { issuerOf, makeClient, makeKey } from './issuer'
import { enforce } from './handle-policy'
import { changed, missing, tenantOf } from './handle-status'

const methodOf: Record<NewClientMethod, ClientMethodView> = { client_secret: 'client_secret_basic', private_key_jwt: 'private_key_jwt', tls_client_auth: 'tls_client_auth' }

export const issuerHandlers: Handlers = {
  issuer_show: (world, { tenant }) => issuerOf(tenantOf(world, tenant)),
  issuer_set: (world, { tenant, enabled, token_secs }) => {
    const issuer = issuerOf(tenantOf(world, tenant))
    enforce(world)
    return Object.assign(issuer, { enabled, token_secs, keys: enabled ? (issuer.keys.length > 0 ? issuer.keys : [makeKey('signing', 0), makeKey('next', 0)]) : [] })
  },
  issuer_rotate: (world, { tenant }) => {
    const issuer = issuerOf(tenantOf(world, tenant))
    issuer.keys = [...issuer.keys.map((key) => (key.state === 'signing' ? { ...makeKey('retiring', 700_000), key_id: key.key_id } : key.state === 'next' ? { ...key, state: 'signing' as const } : key)), makeKey('next', 0)]
    return issuer
  },
  client_register: (world, { tenant, agent, method, lifetime_secs, networks }) => {
    const found = tenantOf(world, tenant)
    const owner = found.agents.find((one) => one.id === agent)
    if (!owner) throw missing('agent')
    const issuer = issuerOf(found)
    if (!issuer.enabled) throw new IpcError('conflict', `The built-in issuer of tenant ${found.view.name} is disabled; enable it first.`, correlation())
    const client = makeClient(owner, methodOf[method], lifetime_secs ?? 86_400 * 30)
    client.networks = networks ?? []
    changed('registry')
    const endpoint = `${world.status.gateway.url}/t/${found.view.name}/mcp`
    return {
      id: client.id, client_id: client.key_id, secret: method === 'client_secret' ? `csx_${digest().slice(0, 43)}` : null, method: methodOf[method], expires: client.expires,
      issuer: issuer.issuer, token_endpoint: issuer.token_endpoint, endpoint, scopes: ['mcp:connect', 'db:read'],
      configurations: [
        { title: 'An MCP client', hint: 'It finds the issuer from the address of the endpoint.', language: 'json', text: JSON.stringify({ url: endpoint, client_id: client.key_id }, null, 2) },
        { title: 'curl', hint: 'Gets one token.', language: 'shell', text: `curl ${issuer.token_endpoint} \\\n  --data grant_type=client_credentials \\\n  --data-urlencode resource=${endpoint}` },
      ],
    }
  },
}

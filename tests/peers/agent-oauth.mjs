// An agent on @modelcontextprotocol/client 2.x over HTTP, which finds its identity provider from the
// endpoint and gets its own access token there. Takes the plan of plan.mjs, with these members in
// place of the command:
//
//   { "url": the MCP endpoint, "issuer": the only provider that it trusts,
//     "client": its client id, "secret": its secret, or "key": its private JWK (private_key_jwt),
//     "scope": what it asks for }
import {
  Client,
  ClientCredentialsProvider,
  PrivateKeyJwtProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'

import { describe, follow, plan, report } from './plan.mjs'

const { url, issuer, client: clientId, secret, key, scope, mode = 'legacy' } = plan
const usual = { clientId, scope, expectedIssuer: issuer }
const authProvider = secret
  ? new ClientCredentialsProvider({ ...usual, clientSecret: secret })
  : new PrivateKeyJwtProvider({ ...usual, privateKey: key, algorithm: 'ES256' })
const named = mode === 'legacy' || mode === 'auto'
const client = new Client(
  { name: 'peer-oauth', version: '1' },
  { versionNegotiation: { mode: named ? mode : { pin: mode } } },
)
try {
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider }))
  report({ connected: client.getServerVersion() ?? null })
  await follow(client, (params, options) => client.callTool(params, options))
} catch (thrown) {
  report({ failed: describe(thrown) })
  process.exitCode = 1
}

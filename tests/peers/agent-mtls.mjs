// An agent on @modelcontextprotocol/client 2.x over HTTPS, which proves itself by its certificate
// alone. Takes the plan of plan.mjs, with these members in place of the command:
//
//   { "url": the MCP endpoint, "cert": the file with its certificate, "key": that with its key,
//     "ca": that with the authority of the gateway's own certificate }
import { readFileSync } from 'node:fs'

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Agent, fetch } from 'undici'

import { describe, follow, plan, report } from './plan.mjs'

const { url, cert, key, ca, mode = 'legacy' } = plan
const files = Object.entries({ cert, key, ca }).filter(([, file]) => file)
const connect = Object.fromEntries(files.map(([name, file]) => [name, readFileSync(file)]))
const dispatcher = new Agent({ connect })
const named = mode === 'legacy' || mode === 'auto'
const client = new Client(
  { name: 'peer-mtls', version: '1' },
  { versionNegotiation: { mode: named ? mode : { pin: mode } } },
)
try {
  const options = { fetch: (to, how) => fetch(to, { ...how, dispatcher }) }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), options))
  report({ connected: client.getServerVersion() ?? null })
  await follow(client, (params, options) => client.callTool(params, options))
} catch (thrown) {
  report({ failed: describe(thrown) })
  process.exitCode = 1
}
process.exit()

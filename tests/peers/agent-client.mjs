// An agent on @modelcontextprotocol/client 2.x over stdio, in either protocol era. See plan.mjs.
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

import { describe, follow, plan, report } from './plan.mjs'

const { command, args = [], mode = 'legacy' } = plan
const named = mode === 'legacy' || mode === 'auto'
const client = new Client(
  { name: 'peer-client', version: '1' },
  { versionNegotiation: { mode: named ? mode : { pin: mode } } },
)
try {
  await client.connect(new StdioClientTransport({ command, args, stderr: 'inherit' }))
  report({ connected: client.getServerVersion() ?? null })
  await follow(client, (params, options) => client.callTool(params, options))
} catch (thrown) {
  report({ failed: describe(thrown) })
  process.exitCode = 1
}

// An agent on @modelcontextprotocol/sdk 1.x over stdio. See plan.mjs.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

import { describe, follow, plan, report } from './plan.mjs'

const client = new Client({ name: 'peer-sdk', version: '1' })
try {
  const { command, args = [], env = {} } = plan
  await client.connect(new StdioClientTransport({ command, args, env, stderr: 'inherit' }))
  report({ connected: client.getServerVersion() ?? null })
  await follow(client, (params, options) => client.callTool(params, undefined, options))
} catch (thrown) {
  report({ failed: describe(thrown) })
  process.exitCode = 1
}

// A real Streamable HTTP server on the official SDK, in both protocol eras, on loopback.
//
//   node http-server.mjs [--record FILE] [--era legacy|modern] [--require-header NAME=VALUE] [--tls-cert FILE --tls-key FILE]
//
// Prints {"url": "http://127.0.0.1:PORT/mcp"} when it is ready; the address is https with --tls-cert. With --record it appends one JSON
// line for every request that reaches it (method, headers, body), so that a test can say what
// the server saw and, above all, what it did not. With --era it speaks that one only.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { parseArgs } from 'node:util'

import {
  NodeStreamableHTTPServerTransport,
  localhostHostValidation,
  toNodeHandler,
  toWebRequest,
} from '@modelcontextprotocol/node'
import { McpServer, createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server'
import { z } from 'zod'

const { values: options } = parseArgs({
  options: {
    record: { type: 'string' },
    era: { type: 'string' },
    'require-header': { type: 'string' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
  },
})

let count = 0

function makeServer() {
  const server = new McpServer({ name: 'peer-http', version: '1' })
  server.registerTool(
    'echo',
    {
      description: 'Says the text back.',
      inputSchema: z.object({ text: z.string().meta({ 'x-mcp-header': 'Text' }) }),
      annotations: { readOnlyHint: true },
    },
    async ({ text }) => say(text),
  )
  server.registerTool(
    'count',
    {
      description: 'Adds one to a counter and says how far it has come.',
      inputSchema: z.object({}),
      annotations: { destructiveHint: true },
    },
    async () => {
      count += 1
      return say(String(count))
    },
  )
  server.registerTool(
    'steps',
    {
      description: 'Reports progress a few times, then is done.',
      inputSchema: z.object({ steps: z.number().int().min(1).max(50) }),
    },
    async ({ steps }, context) => {
      const progressToken = context.mcpReq._meta?.progressToken
      for (let progress = 1; progress <= steps && progressToken !== undefined; progress += 1) {
        const params = { progressToken, progress, total: steps }
        await context.mcpReq.notify({ method: 'notifications/progress', params })
      }
      return say('done')
    },
  )
  return server
}

const say = (text) => ({ content: [{ type: 'text', text }] })

const modern = toNodeHandler(createMcpHandler(makeServer, { legacy: 'reject' }))
const sessions = new Map()
const isLocal = localhostHostValidation()

async function serve(request, response) {
  const body = await read(request)
  record(request, body)
  if (!isLocal(request, response)) return
  if (!hasRequiredHeader(request)) return refuse(response, 401)
  if (new URL(request.url, 'http://127.0.0.1').pathname !== '/mcp') return refuse(response, 404)
  const old = request.method !== 'POST' || (await isLegacyRequest(await toWebRequest(request, body), body))
  if (options.era === (old ? 'modern' : 'legacy')) return refuse(response, 400)
  if (!old) return modern(request, response, body)
  const transport = await sessionOf(request, body)
  if (!transport) return refuse(response, request.headers['mcp-session-id'] ? 404 : 400)
  return transport.handleRequest(request, response, body)
}

async function sessionOf(request, body) {
  const id = request.headers['mcp-session-id']
  if (id) return sessions.get(id)
  if (body?.method !== 'initialize') return undefined
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (made) => void sessions.set(made, transport),
  })
  await makeServer().connect(transport)
  return transport
}

async function read(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  try {
    return text ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

function record(request, body) {
  if (!options.record) return
  const { method, headers } = request
  fs.appendFileSync(options.record, `${JSON.stringify({ method, headers, body })}\n`)
}

function hasRequiredHeader(request) {
  const [name, ...value] = (options['require-header'] ?? '').split('=')
  return name === '' || request.headers[name.toLowerCase()] === value.join('=')
}

function refuse(response, status) {
  response.statusCode = status
  response.end()
}

function answer(request, response) {
  serve(request, response).catch((thrown) => {
    console.error(thrown)
    if (!response.headersSent) refuse(response, 500)
  })
}

const scheme = options['tls-cert'] ? 'https' : 'http'
const server = options['tls-cert']
  ? https.createServer(
      { cert: fs.readFileSync(options['tls-cert']), key: fs.readFileSync(options['tls-key']) },
      answer,
    )
  : http.createServer(answer)
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `${scheme}://127.0.0.1:${server.address().port}/mcp` }))
})

// A server that has everything that the official conformance suites ask for, on the official SDK,
// in both protocol eras, on loopback.
//
//   node every-server.mjs
//
// Prints {"url": "http://127.0.0.1:PORT/mcp"} when it is ready.
import { randomBytes, randomUUID } from 'node:crypto'
import http from 'node:http'

import {
  NodeStreamableHTTPServerTransport,
  localhostHostValidation,
  toNodeHandler,
} from '@modelcontextprotocol/node'
import {
  CLIENT_CAPABILITIES_META_KEY,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceTemplate,
  acceptedContent,
  classifyInboundRequest,
  createMcpHandler,
  createRequestStateCodec,
  fromJsonSchema,
  inputRequired,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

import { EXTENSION, answerTask, withoutTasks } from './tasks.mjs'

// One red pixel, and a sound without samples.
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const SILENCE = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='

const sealed = createRequestStateCodec({ key: randomBytes(32) })
const pause = (ms) => new Promise((done) => setTimeout(done, ms))
const text = (words) => ({ type: 'text', text: words })
const say = (...content) => ({ content: content.map((it) => (typeof it === 'string' ? text(it) : it)) })
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' }
const embedded = (uri, mimeType, words) => ({ type: 'resource', resource: { uri, mimeType, text: words } })

const field = (name, type) => ({ type: 'object', properties: { [name]: { type } }, required: [name] })
const form = (message, requestedSchema) => inputRequired.elicit({ message, requestedSchema })
const askName = () => form('What is your name?', field('name', 'string'))
const askOk = () => form('Please confirm', field('ok', 'boolean'))
const prompt = (words, maxTokens) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: text(words) }], maxTokens })

/** Asks the client over the stream of the call, as the older era does, and tells what came of it. */
async function ask(context, method, params, tell) {
  try {
    return say(tell(await context.mcpReq.send({ method, params })))
  } catch (error) {
    return say(`The client did not answer: ${error instanceof Error ? error.message : error}`)
  }
}
const elicited = (message, requestedSchema) => (context) =>
  ask(context, 'elicitation/create', { message, requestedSchema }, (it) =>
    `Elicitation completed: action=${it.action}, content=${JSON.stringify(it.content ?? {})}`,
  )

async function notes(context) {
  for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    await context.mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } })
    await pause(50)
  }
  return say('It is all noted')
}

async function steps(context) {
  const progressToken = context.mcpReq._meta?.progressToken
  for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
    const params = { progressToken, progress, total: 100, message: `${progress} of 100` }
    await context.mcpReq.notify({ method: 'notifications/progress', params })
    await pause(60)
  }
  return say(String(progressToken ?? 'nobody listens'))
}

const EVERY_PRIMITIVE = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'User name', default: 'John Doe' },
    age: { type: 'integer', description: 'User age', default: 30 },
    score: { type: 'number', description: 'User score', default: 95.5 },
    status: { type: 'string', description: 'User status', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', description: 'Verification status', default: true },
  },
  required: [],
}

const plain = ['option1', 'option2', 'option3']
const titled = (words) => words.map((title, at) => ({ const: `value${at + 1}`, title }))
const EVERY_CHOICE = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', description: 'One', enum: plain },
    titledSingle: { type: 'string', description: 'One, with titles', oneOf: titled(['First Option', 'Second Option', 'Third Option']) },
    legacyEnum: { type: 'string', description: 'One, as it was', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
    untitledMulti: { type: 'array', description: 'Some', minItems: 1, maxItems: 3, items: { type: 'string', enum: plain } },
    titledMulti: { type: 'array', description: 'Some, with titles', minItems: 1, maxItems: 3, items: { anyOf: titled(['First Choice', 'Second Choice', 'Third Choice']) } },
  },
  required: [],
}

const EVERY_KEYWORD = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}

const MIRRORED = {
  type: 'object',
  properties: {
    region: { type: 'string', description: 'stands in a header, too', 'x-mcp-header': 'Region' },
    level: { type: 'integer', description: 'stands in none' },
  },
}

const responses = (context) => context.mcpReq.inputResponses

/** What each round of a call asks for until it knows enough. */
const ROUNDS = {
  test_missing_capability: async (context) =>
    responses(context)?.answer === undefined
      ? inputRequired({ inputRequests: { answer: prompt('Say pong', 16) } })
      : say('The model was asked'),
  test_input_required_result_elicitation: async (context) => {
    const name = acceptedContent(responses(context), 'user_name')?.name
    return typeof name === 'string'
      ? say(`Hello, ${name}!`)
      : inputRequired({ inputRequests: { user_name: askName() } })
  },
  test_input_required_result_sampling: async (context) => {
    const answer = responses(context)?.capital_question
    return answer === undefined
      ? inputRequired({ inputRequests: { capital_question: prompt('What is the capital of France?', 100) } })
      : say(`The model says: ${answer.content?.text ?? JSON.stringify(answer)}`)
  },
  test_input_required_result_list_roots: async (context) => {
    const roots = responses(context)?.client_roots?.roots
    return Array.isArray(roots)
      ? say(`${roots.length} roots: ${roots.map((it) => it.uri).join(' ')}`)
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  },
  test_input_required_result_request_state: async (context) => {
    if (acceptedContent(responses(context), 'confirm') === undefined) {
      const requestState = await sealed.mint({ of: 'request_state', nonce: randomUUID() })
      return inputRequired({ inputRequests: { confirm: askOk() }, requestState })
    }
    if (context.mcpReq.requestState() === undefined) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'The requestState is missing')
    }
    return say('state-ok: it came back')
  },
  test_input_required_result_multiple_inputs: async (context) => {
    const brought = responses(context)
    const name = acceptedContent(brought, 'user_name')?.name
    const greeting = brought?.greeting?.content?.text
    const roots = brought?.client_roots?.roots
    if (typeof name === 'string' && typeof greeting === 'string' && Array.isArray(roots)) {
      return say(`${greeting} ${name}, ${roots.length} roots`)
    }
    const inputRequests = {
      user_name: askName(),
      greeting: prompt('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    }
    return inputRequired({ inputRequests, requestState: await sealed.mint({ of: 'multiple', nonce: randomUUID() }) })
  },
  test_input_required_result_multi_round: async (context) => {
    const state = context.mcpReq.requestState()
    if (state?.of !== 'rounds') {
      const step1 = form('Step 1: What is your name?', field('name', 'string'))
      return inputRequired({ inputRequests: { step1 }, requestState: await sealed.mint({ of: 'rounds', round: 1, nonce: randomUUID() }) })
    }
    if (state.round === 1) {
      const name = acceptedContent(responses(context), 'step1')?.name ?? 'unknown'
      const step2 = form('Step 2: What is your favorite color?', field('color', 'string'))
      return inputRequired({ inputRequests: { step2 }, requestState: await sealed.mint({ of: 'rounds', round: 2, name, nonce: randomUUID() }) })
    }
    const color = acceptedContent(responses(context), 'step2')?.color ?? 'unknown'
    return say(`${state.name} likes ${color}`)
  },
  test_input_required_result_tampered_state: async (context) => {
    if (context.mcpReq.requestState() !== undefined && acceptedContent(responses(context), 'confirm') !== undefined) {
      return say('integrity-ok: it is what it was')
    }
    const requestState = await sealed.mint({ of: 'tampered', nonce: randomUUID() })
    return inputRequired({ inputRequests: { confirm: askOk() }, requestState })
  },
  test_input_required_result_capabilities: async (context) => {
    if (responses(context) !== undefined) return say('Everything that could be asked was')
    const able = context.mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {}
    const inputRequests = {
      ...(able.elicitation && { user_name: askName() }),
      ...(able.sampling && { greeting: prompt('Generate a short greeting', 50) }),
      ...(able.roots && { client_roots: inputRequired.listRoots() }),
    }
    return Object.keys(inputRequests).length > 0 ? inputRequired({ inputRequests }) : say('Nothing can be asked')
  },
}

const mixed = () =>
  say('Multiple content types test:', image, embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'))

/** What each tool without arguments does. */
const TOOLS = {
  // The first of any order: some scenarios call whatever is listed first, and say nothing to it.
  accept_silence: async () => say('Nothing was needed'),
  ...ROUNDS,
  test_simple_text: async () => say('This is a simple text response for testing.'),
  test_image_content: async () => say(image),
  test_audio_content: async () => say({ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }),
  test_embedded_resource: async () =>
    say(embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')),
  test_multiple_content_types: async () => mixed(),
  test_tool_with_logging: notes,
  test_tool_with_progress: steps,
  test_error_handling: async () => {
    throw new Error('This tool intentionally returns an error for testing')
  },
  test_reconnection: async () => {
    await pause(100)
    return say('It was there all the time')
  },
  test_elicitation_sep1034_defaults: elicited('Please review and update the form fields with defaults', EVERY_PRIMITIVE),
  test_elicitation_sep1330_enums: elicited('Please select options from the enum fields', EVERY_CHOICE),
  test_streaming_elicitation: async () => say('Results only, and nothing that asks'),
  test_logging_tool: async (context) => {
    await context.mcpReq.log('info', 'whoever asked for notes sees this')
    return say('It is noted for whoever wants to know')
  },
  touch_watched_resource: async () => {
    modern.notify.resourceUpdated('test://watched-resource')
    return say('told that it changed')
  },
  test_trigger_tool_change: async () => {
    modern.notify.toolsChanged()
    return say('told that tools changed')
  },
  test_trigger_prompt_change: async () => {
    modern.notify.promptsChanged()
    return say('told that prompts changed')
  },
}

const spoken = (...content) => ({ messages: content.map((it) => ({ role: 'user', content: it })) })

/** What the tools that may become tasks are given. */
const TASKS = {
  slow_compute: { seconds: z.number().optional(), label: z.string().optional() },
  failing_job: {},
  protocol_error_job: {},
  confirm_delete: { filename: z.string().optional() },
  multi_input: {},
  test_tool_with_task: {},
}

function makeServer() {
  const listChanged = true
  const capabilities = {
    tools: { listChanged },
    resources: { subscribe: true, listChanged },
    prompts: { listChanged },
    logging: {},
    completions: {},
    extensions: { [EXTENSION]: {} },
  }
  const server = new McpServer(
    { name: 'peer-every', version: '1' },
    { capabilities, requestState: { verify: sealed.verify } },
  )
  for (const [name, run] of Object.entries(TOOLS)) {
    server.registerTool(name, { description: `Does what ${name} says`, inputSchema: z.object({}) }, (_, context) => run(context))
  }
  server.registerTool(
    'test_sampling',
    { description: 'Has the model write something', inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt: words }, context) => {
      const params = { messages: [{ role: 'user', content: text(words) }], maxTokens: 100 }
      return ask(context, 'sampling/createMessage', params, (it) => `LLM response: ${it.content?.text}`)
    },
  )
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user', inputSchema: z.object({ message: z.string() }) },
    ({ message }, context) => {
      const response = { type: 'string', description: "User's response" }
      return elicited(message, { type: 'object', properties: { response }, required: ['response'] })(context)
    },
  )
  const named = { description: 'Greets, and never as a task', inputSchema: z.object({ name: z.string() }) }
  server.registerTool('greet', named, async ({ name }) => say(`Hello, ${name}!`))
  for (const [name, shape] of Object.entries(TASKS)) {
    const described = { description: `Does what ${name} says, as a task where the client can do with one`, inputSchema: z.object(shape) }
    server.registerTool(name, described, async (given) => say(await withoutTasks[name](given)))
  }
  const raw = { json_schema_2020_12_tool: EVERY_KEYWORD, test_x_mcp_header: MIRRORED }
  for (const [name, schema] of Object.entries(raw)) {
    const described = { description: `Takes what ${name} says`, inputSchema: fromJsonSchema(schema) }
    server.registerTool(name, described, async (given) => say(JSON.stringify(given)))
  }
  addResources(server)
  addPrompts(server)
  server.server.setRequestHandler('logging/setLevel', async () => ({}))
  server.server.setRequestHandler('completion/complete', async () => ({
    completion: { values: [], total: 0, hasMore: false },
  }))
  return server
}

function addResources(server) {
  const fixed = {
    'test://static-text': ['text/plain', { text: 'This is the content of the static text resource.' }],
    'test://static-binary': ['image/png', { blob: PIXEL }],
    'test://watched-resource': ['text/plain', { text: 'Watched resource content' }],
  }
  for (const [uri, [mimeType, content]] of Object.entries(fixed)) {
    const described = { title: uri, description: `What is at ${uri}`, mimeType }
    server.registerResource(uri.slice(7), uri, described, async () => ({ contents: [{ uri, mimeType, ...content }] }))
  }
  const mimeType = 'application/json'
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { title: 'Resource Template', description: 'Has an id in it', mimeType },
    async (uri, { id }) => ({
      contents: [{ uri: String(uri), mimeType, text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }],
    }),
  )
  server.server.setRequestHandler('resources/subscribe', async () => ({}))
  server.server.setRequestHandler('resources/unsubscribe', async () => ({}))
}

function addPrompts(server) {
  const add = (name, argsSchema, run) => server.registerPrompt(name, { title: name, description: `Says what ${name} says`, argsSchema }, run)
  add('test_simple_prompt', undefined, async () => spoken(text('This is a simple prompt for testing.')))
  add('test_prompt_with_arguments', z.object({ arg1: z.string().describe('First'), arg2: z.string().describe('Second') }), async ({ arg1, arg2 }) =>
    spoken(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  )
  add('test_prompt_with_embedded_resource', z.object({ resourceUri: z.string().describe('What to embed') }), async ({ resourceUri }) =>
    spoken(embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.'), text('Please process the embedded resource above.')),
  )
  add('test_prompt_with_image', undefined, async () => spoken(image, text('Please analyze the image above.')))
  add('test_input_required_result_prompt', undefined, async (context) => {
    const known = acceptedContent(context.mcpReq.inputResponses, 'user_context')?.context
    if (typeof known === 'string') return spoken(text(`Use the following context: ${known}`))
    const user_context = form('What context should the prompt use?', field('context', 'string'))
    return inputRequired({ inputRequests: { user_context } })
  })
}

const modern = createMcpHandler(makeServer)
const answerModern = toNodeHandler(modern)
const sessions = new Map()
const isLocal = localhostHostValidation()

async function serve(request, response) {
  if (!isLocal(request, response)) return
  const body = await read(request)
  const { headers, method } = request
  if (method === 'POST') {
    const inbound = classifyInboundRequest({
      httpMethod: method,
      protocolVersionHeader: headers['mcp-protocol-version'],
      mcpMethodHeader: headers['mcp-method'],
      body,
    })
    if (inbound.kind !== 'legacy') {
      const answered = body && answerTask(body, headers)
      return answered ? told(response, answered) : answerModern(request, response, body)
    }
  }
  const transport = await sessionOf(headers['mcp-session-id'], body)
  if (transport) return transport.handleRequest(request, response, body)
  response.statusCode = headers['mcp-session-id'] ? 404 : 400
  response.end()
}

function told(response, { status, message }) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(message))
}

async function sessionOf(id, body) {
  if (id) return sessions.get(id)
  if (body?.method !== 'initialize') return undefined
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (made) => void sessions.set(made, transport),
  })
  transport.onclose = () => void sessions.delete(transport.sessionId)
  await makeServer().connect(transport)
  return transport
}

async function read(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const words = Buffer.concat(chunks).toString()
  try {
    return words ? JSON.parse(words) : undefined
  } catch {
    return undefined
  }
}

const server = http.createServer((request, response) => {
  serve(request, response).catch((thrown) => {
    console.error(thrown)
    if (!response.headersSent) response.statusCode = 500
    response.end()
  })
})
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/mcp` }))
})

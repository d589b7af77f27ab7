// The Tasks extension (io.modelcontextprotocol/tasks) for a server of the newer era, which the
// official SDK leaves to whoever wants it: what a call becomes, and what is asked about it.
import { randomUUID } from 'node:crypto'

export const EXTENSION = 'io.modelcontextprotocol/tasks'

const META = 'io.modelcontextprotocol/clientCapabilities'
const KEPT = 300_000
const POLL = 100

const text = (words) => ({ type: 'text', text: words })
const done = (words, isError = false) => ({ resultType: 'complete', content: [text(words)], isError })
const pause = (ms) => new Promise((ready) => setTimeout(ready, ms))
const form = (message, name, type) => ({
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message,
    requestedSchema: { type: 'object', properties: { [name]: { type } }, required: [name] },
  },
})

class Failure extends Error {
  constructor(code, message, data, status = 200) {
    super(message)
    Object.assign(this, { code, data, status })
  }
}

const undeclared = () =>
  new Failure(-32021, 'Missing required client capability', { requiredCapabilities: { extensions: { [EXTENSION]: {} } } }, 400)

/** One task, from its creation to its end. */
class Task {
  constructor(work) {
    this.id = randomUUID()
    this.created = this.updated = new Date().toISOString()
    this.status = 'working'
    this.open = {}
    this.waiting = new Map()
    work(this).then(
      (result) => this.end('completed', { result }),
      (thrown) => this.end('failed', { error: { code: -32603, message: String(thrown.message) } }),
    )
  }

  end(status, detail) {
    if (this.isOver) return
    this.isOver = true
    this.open = {}
    this.stand(status, detail)
  }

  stand(status, detail = {}) {
    Object.assign(this, { status, detail, updated: new Date().toISOString() })
  }

  /** Asks for all of these at once and waits until all are answered. */
  async ask(requests) {
    this.open = { ...requests }
    this.stand('input_required')
    const answers = Object.keys(requests).map(
      (key) => new Promise((answered) => this.waiting.set(key, (answer) => answered([key, answer]))),
    )
    const all = Object.fromEntries(await Promise.all(answers))
    if (!this.isOver) this.stand('working')
    return all
  }

  answer(responses) {
    for (const [key, answer] of Object.entries(responses)) {
      if (!(key in this.open)) continue
      delete this.open[key]
      this.waiting.get(key)(answer)
    }
  }

  get told() {
    const { id: taskId, status, created: createdAt, updated: lastUpdatedAt } = this
    return { taskId, status, createdAt, lastUpdatedAt, ttlMs: KEPT, pollIntervalMs: POLL }
  }

  get detailed() {
    const asks = this.status === 'input_required' ? { inputRequests: { ...this.open } } : {}
    return { resultType: 'complete', ...this.told, ...asks, ...this.detail }
  }
}

const TOOLS = {
  slow_compute: async (task, { seconds = 0, label = '' }) => {
    await pause(seconds * 1000)
    return done(`Computed ${label} for ${seconds} s`)
  },
  failing_job: async () => {
    await pause(300)
    return done('The job failed', true)
  },
  protocol_error_job: async () => {
    await pause(100)
    throw new Error('The job broke')
  },
  confirm_delete: async (task, { filename = '' }) => {
    const { confirm } = await task.ask({ confirm: form(`Delete ${filename}?`, 'confirm', 'boolean') })
    return done(confirm.action === 'accept' ? `Deleted ${filename}` : `Kept ${filename}`)
  },
  multi_input: async (task) => {
    const all = await task.ask({ first: form('First?', 'name', 'string'), second: form('Second?', 'name', 'string') })
    return done(Object.values(all).map((it) => it.content?.name).join(' and '))
  },
  test_tool_with_task: async (task, given, { user_name }) => {
    await pause(100)
    return done(`Hello, ${user_name?.content?.name}!`)
  },
}

/** The tools that cannot do without. */
const NEEDED = ['failing_job', 'test_tool_with_task']

/** What the tools do for clients that speak no tasks. */
export const withoutTasks = {
  slow_compute: ({ seconds = 0, label = '' }) => pause(seconds * 1000).then(() => `Computed ${label} for ${seconds} s`),
  failing_job: async () => 'The job failed',
  protocol_error_job: async () => 'The job broke',
  confirm_delete: async ({ filename = '' }) => `Kept ${filename}`,
  multi_input: async () => 'nobody was asked',
  test_tool_with_task: async () => 'nobody was asked',
}

const tasks = new Map()

function known(id) {
  const task = tasks.get(id)
  if (!task) throw new Failure(-32602, 'Task not found')
  return task
}

function inquire(method, { taskId, inputResponses = {} }) {
  const task = known(taskId)
  if (method === 'tasks/get') return task.detailed
  if (method === 'tasks/update') task.answer(inputResponses)
  else task.end('cancelled')
  return { resultType: 'complete' }
}

function call({ name, arguments: given = {}, inputResponses = {} }) {
  if (name === 'test_tool_with_task' && !('user_name' in inputResponses)) {
    return { resultType: 'input_required', inputRequests: { user_name: form('What is your name?', 'name', 'string') } }
  }
  const task = new Task((made) => TOOLS[name](made, given, inputResponses))
  tasks.set(task.id, task)
  setTimeout(() => tasks.delete(task.id), KEPT).unref()
  return { resultType: 'task', ...task.told }
}

function attend({ method, params = {} }, headers) {
  const speaks = params._meta?.[META]?.extensions?.[EXTENSION] !== undefined
  const about = ['tasks/get', 'tasks/update', 'tasks/cancel'].includes(method)
  if (!about && !(method === 'tools/call' && params.name in TOOLS)) return undefined
  const named = about ? params.taskId : params.name
  if (headers['mcp-method'] !== method || headers['mcp-name'] !== named) {
    throw new Failure(-32020, 'The headers do not say what the body says', undefined, 400)
  }
  if (about) {
    if (!speaks) throw undeclared()
    return inquire(method, params)
  }
  if (speaks) return call(params)
  if (NEEDED.includes(params.name)) throw undeclared()
  return undefined
}

/** The answer to a request about tasks, or to a call that becomes one; nothing for all others. */
export function answerTask(body, headers) {
  try {
    const result = attend(body, headers)
    return result && { status: 200, message: { jsonrpc: '2.0', id: body.id, result } }
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    const { code, message, data, status } = thrown
    return { status, message: { jsonrpc: '2.0', id: body.id, error: { code, message, ...(data && { data }) } } }
  }
}

/** The tools of the sample servers, as such servers publish them. */
import type { Grant, ToolView } from '../generated'

export type Sample = {
  /** A tool where it says nothing. */
  kind?: ToolView['kind']
  name: string
  title: string | null
  description: string
  properties: Record<string, { type: string; description?: string }>
  claims: ToolView['claims']
  /** reader, analyst, executor, admin. */
  grants: [Grant, Grant, Grant, Grant]
}

const reads = { read_only: true, destructive: false, open_world: false }
const writes = { read_only: false, destructive: true, open_world: false }
const outside = { read_only: true, destructive: false, open_world: true }
const text = (description: string) => ({ type: 'string', description })

export const workbench: Sample[] = [
  { name: 'read_file', title: 'Read a file', description: 'Reads a text file of the sandbox folder.', properties: { path: text('Relative to the folder') }, claims: reads, grants: ['allow', 'allow', 'allow', 'allow'] },
  { name: 'search_database', title: 'Search the database', description: 'Finds rows in the sample database by words.', properties: { query: text('Words to find'), limit: { type: 'integer' } }, claims: reads, grants: ['allow', 'allow', 'allow', 'allow'] },
  { name: 'web_fetch', title: 'Fetch a page', description: 'Fetches a page from loopback.', properties: { url: text('An http address on this machine') }, claims: outside, grants: ['deny', 'allow', 'allow', 'allow'] },
  { name: 'write_file', title: 'Write a file', description: 'Writes a text file into the sandbox folder. What was there is replaced.', properties: { path: text('Relative to the folder'), content: text('All of it') }, claims: writes, grants: ['deny', 'deny', 'token', 'allow'] },
  { name: 'send_email', title: 'Send mail', description: 'Puts a message into the outbox folder.', properties: { to: text('One address'), subject: text('One line'), body: text('Plain text') }, claims: { read_only: false, destructive: false, open_world: true }, grants: ['deny', 'deny', 'token', 'allow'] },
  { name: 'execute_code', title: 'Run a script', description: 'Runs a script in the sandboxed engine.', properties: { script: text('The script') }, claims: writes, grants: ['deny', 'deny', 'token', 'allow'] },
  { name: 'access_secrets', title: 'Read a secret', description: 'Reads a secret from the keychain.', properties: { name: text('Its name') }, claims: { read_only: true, destructive: null, open_world: null }, grants: ['deny', 'deny', 'deny', 'token'] },
  { name: 'modify_mcp_config', title: 'Change its settings', description: 'Changes the settings file of this server.', properties: { key: text('Which'), value: text('To what') }, claims: writes, grants: ['deny', 'deny', 'deny', 'token'] },
]

export const definitionOf = (sample: Sample): string =>
  sample.kind && sample.kind !== 'tool' ? JSON.stringify(plainDefinition(sample)) : JSON.stringify({
    name: sample.name,
    ...(sample.title && { title: sample.title }),
    description: sample.description,
    inputSchema: { type: 'object', properties: sample.properties, required: Object.keys(sample.properties).slice(0, 1) },
    annotations: Object.fromEntries(
      Object.entries({ readOnlyHint: sample.claims.read_only, destructiveHint: sample.claims.destructive, openWorldHint: sample.claims.open_world }).filter(([, value]) => value !== null),
    ),
  })

const plainDefinition = ({ kind, name, description, properties }: Sample) => ({
  ...(kind === 'resource' ? { uri: name, name: 'notes' } : kind === 'template' ? { uriTemplate: name, name: 'any note' } : { name, arguments: Object.keys(properties).map((argument) => ({ name: argument, required: true })) }),
  description,
})

const nothing = { read_only: null, destructive: null, open_world: null }

/** What a server has besides tools. */
export const furnishings: Sample[] = [
  { kind: 'prompt', name: 'triage', title: null, description: 'How to triage a ticket.', properties: { ticket: text('Which') }, claims: nothing, grants: ['deny', 'allow', 'allow', 'allow'] },
  { kind: 'resource', name: 'file:///workbench/notes.md', title: null, description: 'The notes of the team.', properties: {}, claims: nothing, grants: ['allow', 'allow', 'allow', 'allow'] },
  { kind: 'template', name: 'file:///workbench/{name}', title: null, description: 'Any file of the sandbox folder.', properties: {}, claims: nothing, grants: ['deny', 'deny', 'token', 'allow'] },
]

/** Names as long as servers make them. */
export const lengthy: Sample[] = [
  { kind: 'prompt', name: 'summarise_the_incident_for_customers_without_internal_names', title: 'Summary for customers', description: 'Writes what customers are told about an incident. Leaves out names of people, hosts and projects.', properties: { incident: text('Its number'), language: text('Of the summary') }, claims: nothing, grants: ['deny', 'allow', 'token', 'token'] },
  { kind: 'resource', name: 'https://wiki.acme.example/api/v2/spaces/platform-engineering/pages/2026/q4/incident-reviews/2026-11-14-gateway-restart/attachments/timeline-in-utc.csv?version=12&format=raw', title: null, description: 'The timeline of the incident of the 14th.', properties: {}, claims: nothing, grants: ['deny', 'allow', 'token', 'token'] },
  { kind: 'resource', name: 'https://wiki.acme.example/api/v2/spaces/platform-engineering/pages/2026/q4/incident-reviews/2026-11-14-gateway-restart/attachments/timeline-in-utc.csv?version=13&format=raw', title: null, description: '', properties: {}, claims: nothing, grants: ['deny', 'deny', 'token', 'token'] },
  { kind: 'template', name: 'github://{owner}/{repository}/contents/{+path}{?reference,recursive,include_submodules,depth_of_history}', title: null, description: 'Any file of a repository, at any point of its history.', properties: {}, claims: nothing, grants: ['deny', 'deny', 'token', 'token'] },
]

const NOUNS = ['invoice', 'ticket', 'branch', 'release', 'customer', 'report', 'queue', 'dashboard', 'channel', 'order', 'pipeline', 'schema', 'bucket', 'role', 'secret', 'webhook', 'calendar', 'contract', 'shipment', 'forecast']
const VERBS = ['list', 'get', 'search', 'create', 'update', 'delete', 'export', 'archive', 'assign', 'approve']

/** Many tools, for a crowded matrix. */
export const invented = (from: number, count: number): Sample[] =>
  Array.from({ length: count }, (_, index) => {
    const at = from + index
    const verb = VERBS[at % VERBS.length] ?? 'get'
    const noun = NOUNS[Math.floor(at / VERBS.length) % NOUNS.length] ?? 'item'
    const harmless = ['list', 'get', 'search'].includes(verb)
    return {
      name: `${verb}_${noun}${at >= 200 ? `_${Math.floor(at / 200)}` : ''}`,
      title: null,
      description: `${verb[0]?.toUpperCase()}${verb.slice(1)}s ${noun}s of the connected system.`,
      properties: { id: text('Which') },
      claims: harmless ? reads : writes,
      grants: harmless ? ['allow', 'allow', 'allow', 'allow'] : ['deny', 'deny', 'token', at % 3 ? 'allow' : 'token'],
    }
  })

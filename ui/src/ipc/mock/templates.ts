/** Templates of servers, as the backend inside the page has them. */
import type { TemplateView, Transport } from '../generated'

/** A place in a text of a template. */
export const PLACE = /\$\{([a-z0-9_]+)\}/g

const settingsOf = (transport: Transport) => (transport.kind === 'stdio' ? transport.env : transport.headers)

function textsOf(transport: Transport): string[] {
  const own = transport.kind === 'stdio' ? [...transport.args, transport.cwd ?? ''] : [transport.url]
  return [...own, ...Object.values(settingsOf(transport)).filter((one) => typeof one === 'string')]
}

/** A template with its places and secrets. */
export function templateOf(name: string, transport: Transport): TemplateView {
  const places = textsOf(transport).flatMap((text) => [...text.matchAll(PLACE)].map((found) => found[1] ?? ''))
  const secrets = Object.values(settingsOf(transport)).flatMap((one) => (typeof one === 'string' ? [] : [one.secret]))
  return { name, transport, places: [...new Set(places)].sort(), secrets, servers: [] }
}

/** Templates to look at. */
export function makeTemplates(count: number): TemplateView[] {
  const wiki: Transport = { kind: 'http', url: 'https://wiki.example/${space}/mcp', headers: { authorization: { secret: 'wiki-token' } } }
  const notes: Transport = { kind: 'stdio', command: '/usr/bin/notes-mcp', args: ['--folder', '${folder}'], env: {} }
  const more = Array.from({ length: count - 2 }, (_, at) => templateOf(`template-of-a-department-${String(at + 1).padStart(2, '0')}`, notes))
  return [templateOf('notes', notes), ...more, templateOf('wiki', wiki)]
}

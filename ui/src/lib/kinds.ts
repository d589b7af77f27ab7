/** Tools, and everything else that servers publish and the matrix governs. */
import type { Kind } from '@/ipc/generated'
import { plural } from './format'

// A record, so that a new kind does not compile until it has a label.
export const kindLabel: Record<Kind, string> = {
  tool: 'tool',
  prompt: 'prompt',
  resource: 'resource',
  template: 'resource template',
}

/** What stands above the things of a kind. */
export const kindTitle: Record<Kind, string> = { tool: 'Tools', prompt: 'Prompts', resource: 'Resources', template: 'Resource templates' }

/** In the order in which they are shown. */
export const kinds: Kind[] = ['tool', 'prompt', 'resource', 'template']

type Thing = { kind: Kind; name: string }

/** A name with the mark of its kind, as files and the command line have it. No two things of a server share one. */
export const marked = ({ kind, name }: Thing) => (kind === 'tool' ? name : `${kind}:${name}`)

/** The things of each kind that there are. */
export const byKind = <T extends Thing>(all: T[]): { kind: Kind; things: T[] }[] =>
  kinds.map((kind) => ({ kind, things: all.filter((thing) => thing.kind === kind) })).filter(({ things }) => things.length > 0)

/** How many there are: `3 resources` where all are of one kind, else `50 tools, 7 others`. */
export function countOf(things: readonly Pick<Thing, 'kind'>[]): string {
  const kind = things[0]?.kind ?? 'tool'
  const same = things.filter((thing) => thing.kind === kind).length
  if (same === things.length) return plural(same, kindLabel[kind])
  const tools = things.filter((thing) => thing.kind === 'tool').length
  return tools === 0 ? plural(things.length, 'thing') : `${plural(tools, 'tool')}, ${plural(things.length - tools, 'other')}`
}

/** What an agent does with a thing of each kind. */
export const kindVerb: Record<Kind, string> = {
  tool: 'Call',
  prompt: 'Get the prompt',
  resource: 'Read the resource',
  template: 'Read a resource of the template',
}

/** One time that an agent does so. */
export const kindUse: Record<Kind, string> = { tool: 'call', prompt: 'use', resource: 'read', template: 'use' }

/** The same in the third person, before the name. */
export const kindDoes: Record<Kind, string> = { tool: 'calls', prompt: 'gets prompt', resource: 'reads', template: 'reads a resource of' }

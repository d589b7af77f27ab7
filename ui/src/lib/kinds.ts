/** Tools, and everything else that servers publish and the matrix governs. */
import type { Kind } from '@/ipc/generated'

// A record, so that a new kind does not compile until it has a label.
export const kindLabel: Record<Kind, string> = {
  tool: 'tool',
  prompt: 'prompt',
  resource: 'resource',
  template: 'template',
}

/** In the order in which they are shown. */
export const kinds: Kind[] = ['tool', 'prompt', 'resource', 'template']

type Thing = { kind: Kind; name: string }

/** A name with the mark of its kind, as files and the command line have it. No two things of a server share one. */
export const marked = ({ kind, name }: Thing) => (kind === 'tool' ? name : `${kind}:${name}`)

/** The things of each kind that there are. */
export const byKind = <T extends Thing>(all: T[]): { kind: Kind; things: T[] }[] =>
  kinds.map((kind) => ({ kind, things: all.filter((thing) => thing.kind === kind) })).filter(({ things }) => things.length > 0)

/** What an agent does with a thing of each kind. */
export const kindVerb: Record<Kind, string> = {
  tool: 'Call',
  prompt: 'Get the prompt',
  resource: 'Read the resource',
  template: 'Read a resource of the template',
}

import type { ToolView } from '@/ipc/generated'

const words: { key: keyof ToolView['claims']; yes: string; no: string }[] = [
  { key: 'read_only', yes: 'only reads', no: 'changes things' },
  { key: 'destructive', yes: 'may destroy', no: 'destroys nothing' },
  { key: 'open_world', yes: 'reaches outside', no: 'stays inside' },
]

/** What a server claims about a tool: its words, no fact. */
export function Claims({ claims }: { claims: ToolView['claims'] }) {
  const said = words.flatMap(({ key, yes, no }) => (claims[key] === null ? [] : [claims[key] ? yes : no]))
  return (
    <span className="dim small">
      {said.length === 0 ? 'The server claims nothing about its effects.' : `The server claims that it ${said.join(', ')}. Nothing checks that.`}
    </span>
  )
}

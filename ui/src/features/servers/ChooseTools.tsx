import { Checkbox } from '@mantine/core'
import { useState } from 'react'
import { Empty } from '@/components/Empty'
import { GrantMark } from '@/components/Grant'
import { JsonView } from '@/components/JsonView'
import { Mark } from '@/components/Mark'
import { Telling } from '@/components/Telling'
import { ToolProblem } from '@/components/ToolProblem'
import { Untrusted } from '@/components/Untrusted'
import type { DiscoveredTool, ToolView } from '@/ipc/generated'
import { byKind, kindTitle, marked } from '@/lib/kinds'
import css from './Servers.module.css'

type Props = {
  tools: DiscoveredTool[]
  /** By their marked names. */
  chosen: Set<string>
  onChange: (chosen: Set<string>) => void
  /** The definitions that were taken in before: what changed of them is marked. */
  pinned?: Pick<ToolView, 'kind' | 'name' | 'definition'>[]
}

/** What a server publishes, to choose from. What it says of them is quoted. */
export function ChooseTools({ tools, chosen, onChange, pinned = [] }: Props) {
  const before = new Map(pinned.map((tool) => [marked(tool), tool.definition]))
  // Nothing that has changed is taken in unseen.
  const [open, setOpen] = useState(() => new Set(tools.filter((tool) => tool.known === 'changed').map(marked)))
  const toggle = (name: string) => {
    const next = new Set(open)
    if (!next.delete(name)) next.add(name)
    setOpen(next)
  }
  if (tools.length === 0) return <Empty title="It has nothing for agents">The server answered, but it publishes no tool, prompt or resource.</Empty>
  const all = tools.length === chosen.size
  const kinds = byKind(tools)
  return (
    <div className="stack">
      <div className="row spread">
        <Checkbox size="xs" className="nowrap" label={`${chosen.size} of ${tools.length} enabled`} checked={all} indeterminate={chosen.size > 0 && !all}
          onChange={() => onChange(all ? new Set() : new Set(tools.map(marked)))} />
        <span className="dim small">{tools.some((tool) => tool.known === 'changed') ? 'What is new is denied to every role until you say otherwise in the matrix; what has changed keeps its grants.' : 'What is enabled is denied to every role until you say otherwise in the matrix.'}</span>
      </div>
      <div className={css.tools}>
        {kinds.map(({ kind, things }) => (
          <section key={kind} aria-label={kindTitle[kind]}>
            {kind === 'tool' && kinds.length === 1 ? null : <h3 className={css.kind}>{kindTitle[kind]}</h3>}
            {things.map((tool) => (
              <div key={marked(tool)} className={css.tool}>
                <Checkbox size="xs" aria-label={`Enable ${marked(tool)}`} checked={chosen.has(marked(tool))}
                  onChange={() => {
                    const next = new Set(chosen)
                    if (!next.delete(marked(tool))) next.add(marked(tool))
                    onChange(next)
                  }} />
                <div className="grow stack tight">
                  <div className="row">
                    <b><Untrusted text={tool.name} mono /></b>
                    {tool.known === 'changed' ? <Mark tone="care">changed since you took it in</Mark> : null}
                    {tool.problem === null ? null : <Mark tone="care">cannot be offered</Mark>}
                    {tool.known === 'same' ? <span className="dim small">known</span> : null}
                  </div>
                  <span className={css.description}><Untrusted text={tool.description || 'It says nothing about itself.'} lines /></span>
                  <Telling text={tool.description} />
                  {tool.problem === null ? null : <ToolProblem problem={tool.problem} taken={tool.known === 'same'} />}
                  <button type="button" className={css.more} aria-expanded={open.has(marked(tool))} onClick={() => toggle(marked(tool))}>
                    {open.has(marked(tool)) ? 'Hide its definition' : 'Show its definition'}
                  </button>
                  {open.has(marked(tool)) ? <JsonView source={tool.definition} before={before.get(marked(tool)) ?? null} label={`Definition of ${tool.name}`} /> : null}
                </div>
                {tool.known === 'changed' ? null : (
                  <div className={css.suggested}>
                    <span className="dim small">suggested</span>
                    <GrantMark grant={tool.suggested} />
                  </div>
                )}
              </div>
            ))}
          </section>
        ))}
      </div>
    </div>
  )
}

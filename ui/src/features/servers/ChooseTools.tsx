import { Checkbox } from '@mantine/core'
import { useState } from 'react'
import { Empty } from '@/components/Empty'
import { GrantMark } from '@/components/Grant'
import { JsonView } from '@/components/JsonView'
import { Mark } from '@/components/Mark'
import { ToolProblem } from '@/components/ToolProblem'
import { Untrusted } from '@/components/Untrusted'
import type { DiscoveredTool } from '@/ipc/generated'
import { byKind, kindLabel, marked } from '@/lib/kinds'
import css from './Servers.module.css'

type Props = { tools: DiscoveredTool[]; /** By their marked names. */ chosen: Set<string>; onChange: (chosen: Set<string>) => void }

/** What a server publishes, to choose from. What it says of them is quoted. */
export function ChooseTools({ tools, chosen, onChange }: Props) {
  const [open, setOpen] = useState<string | null>(null)
  if (tools.length === 0) return <Empty title="It has nothing for agents">The server answered, but it publishes no tool, prompt or resource.</Empty>
  const all = tools.length === chosen.size
  return (
    <div className="stack">
      <div className="row spread">
        <Checkbox size="xs" label={`${chosen.size} of ${tools.length} enabled`} checked={all} indeterminate={chosen.size > 0 && !all}
          onChange={() => onChange(all ? new Set() : new Set(tools.map(marked)))} />
        <span className="dim small">What is enabled is denied to every role until you say otherwise in the matrix.</span>
      </div>
      <div className={css.tools}>
        {byKind(tools).map(({ kind, things }) => (
          <section key={kind} aria-label={`${kindLabel[kind]}s`}>
            {kind === 'tool' ? null : <h3 className={css.kind}>{kindLabel[kind]}s</h3>}
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
                  {tool.problem === null ? null : <ToolProblem problem={tool.problem} taken={tool.known === 'same'} />}
                  <button type="button" className={css.more} aria-expanded={open === marked(tool)} onClick={() => setOpen(open === marked(tool) ? null : marked(tool))}>
                    {open === marked(tool) ? 'Hide its definition' : 'Show its definition'}
                  </button>
                  {open === marked(tool) ? <JsonView source={tool.definition} label={`Definition of ${tool.name}`} /> : null}
                </div>
                <div className={css.suggested}>
                  <span className="dim small">suggested</span>
                  <GrantMark grant={tool.suggested} />
                </div>
              </div>
            ))}
          </section>
        ))}
      </div>
    </div>
  )
}

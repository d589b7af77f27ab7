import { Checkbox, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { MatrixTool, MatrixView, ToolId } from '@/ipc/generated'
import { plural } from '@/lib/format'
import { marked } from '@/lib/kinds'
import { IconSearch } from './icons'
import { KindMark } from './KindMark'
import { Untrusted } from './Untrusted'
import css from './ToolPicker.module.css'

type Props = { view: MatrixView; chosen: ToolId[]; onChange: (chosen: ToolId[]) => void }

/** Chooses tools, grouped by server. */
export function ToolPicker({ view, chosen, onChange }: Props) {
  const [words, setWords] = useState('')
  const set = useMemo(() => new Set(chosen), [chosen])
  const shown = view.tools.filter((tool) => marked(tool).toLowerCase().includes(words.toLowerCase()))
  const toggle = (tools: MatrixTool[], on: boolean) => {
    const next = new Set(set)
    for (const tool of tools) {
      if (on) next.add(tool.id)
      else next.delete(tool.id)
    }
    onChange(view.tools.filter((tool) => next.has(tool.id)).map((tool) => tool.id))
  }
  return (
    <fieldset className={css.picker}>
      <legend>Tools · {plural(chosen.length, 'chosen', 'chosen')}</legend>
      {view.tools.length > 12 ? (
        <TextInput size="xs" placeholder="Filter" aria-label="Filter the tools" leftSection={<IconSearch size={14} />} value={words} onChange={(event) => setWords(event.currentTarget.value)} />
      ) : null}
      <div className={css.list}>
        {view.tools.length === 0 ? <p className="dim">There are no tools yet: add a server first.</p> : null}
        {view.servers.map((server) => {
          const tools = shown.filter((tool) => tool.server === server.id)
          if (tools.length === 0) return null
          const on = tools.filter((tool) => set.has(tool.id)).length
          return (
            <div key={server.id} className={css.server}>
              <Checkbox size="xs" label={<b>{server.name}</b>} checked={on === tools.length} indeterminate={on > 0 && on < tools.length}
                onChange={() => toggle(tools, on < tools.length)} />
              <div className={css.tools}>
                {tools.map((tool) => (
                  <Checkbox key={tool.id} size="xs" checked={set.has(tool.id)} onChange={(event) => toggle([tool], event.currentTarget.checked)}
                    label={<span className={css.name}><KindMark kind={tool.kind} /><Untrusted text={tool.name} mono /></span>} />
                ))}
              </div>
            </div>
          )
        })}
      </div>
    </fieldset>
  )
}

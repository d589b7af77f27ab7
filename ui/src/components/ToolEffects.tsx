import { Checkbox } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { call } from '@/ipc/call'
import type { Effects, ToolView } from '@/ipc/generated'
import { ableTo, suggested } from '@/lib/effects'
import { Act } from './Act'
import { Mark } from './Mark'
import { tellDone } from './notices'
import { Problem } from './Problem'
import { useTenant } from './tenant'

type Props = { tool: Pick<ToolView, 'id' | 'name' | 'effects' | 'claims'> }

/** What a tool can do that cannot be taken back: marked by an administrator, at most suggested by its server. */
export function ToolEffects({ tool }: Props) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [editing, setEditing] = useState(false)
  const save = useMutation({
    mutationFn: (effects: Effects) => call('tool_set_effects', { tenant: tenant.id, tool: tool.id, effects }),
    onSuccess: async (_, effects) => {
      tellDone(`${tool.name} is marked: ${ableTo(effects) ?? 'with nothing'}`)
      await queryClient.invalidateQueries()
      setEditing(false)
    },
  })
  const able = ableTo(tool.effects)
  const hints = suggested(tool)
  return (
    <section className="stack tight" aria-label={`What ${tool.name} can do that cannot be taken back`}>
      <h3>What cannot be taken back</h3>
      {editing ? (
        <Form effects={tool.effects} saving={save.isPending} error={save.error} onCancel={() => setEditing(false)} onSave={(next) => save.mutate(next)} />
      ) : (
        <>
          <span>{able ? <Mark tone="care">{able.charAt(0).toUpperCase() + able.slice(1)}</Mark> : <span className="dim">Not marked as able to send data out or to destroy</span>}</span>
          <span className="dim small">{able ? 'Each of its calls that needs a signature needs one of its own: no series.' : 'Its calls may be approved as a bounded series.'}</span>
          {hints.length === 0 ? null : <span className="dim small">What its server says of it suggests: {hints.join(', ')}. Nothing follows from that until you mark it.</span>}
          <div><Act onClick={() => setEditing(true)} aria-label={`Mark what ${tool.name} can do`}>Change</Act></div>
        </>
      )}
    </section>
  )
}

type FormProps = { effects: Effects; saving: boolean; error: Error | null; onCancel: () => void; onSave: (effects: Effects) => void }

function Form({ effects, saving, error, onCancel, onSave }: FormProps) {
  const [next, setNext] = useState(effects)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSave(next)
  }
  const marks = (field: keyof Effects, label: string, description: string) => (
    <Checkbox label={label} description={description} checked={next[field]} onChange={(event) => setNext({ ...next, [field]: event.currentTarget.checked })} />
  )
  return (
    <form onSubmit={submit} className="stack" style={{ maxWidth: 480 }}>
      {marks('sends_out', 'Can send data out', 'Mail, uploads, posts, requests to other systems')}
      {marks('destroys', 'Can destroy', 'What it removes or overwrites cannot be had again')}
      {error ? <Problem error={error} /> : null}
      <div className="row">
        <Act onClick={onCancel}>Cancel</Act>
        <Act type="submit" tone="primary" loading={saving}>Save</Act>
      </div>
    </form>
  )
}

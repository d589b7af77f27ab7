import { TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { AgentView } from '@/ipc/generated'
import { plural } from '@/lib/format'

const USUAL = 10
const MOST = 500

/** How many calls of an agent may wait for people at a time: shown, set, and set back. */
export function WaitingLimit({ agent }: { agent: AgentView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [editing, setEditing] = useState(false)
  const save = useMutation({
    mutationFn: (most: number | null) => call('agent_set_waiting', { tenant: tenant.id, agent: agent.id, ...(most !== null && { most }) }),
    onSuccess: async (saved) => {
      tellDone(`${saved.name}: ${plural(saved.most_waiting ?? USUAL, 'call')} may wait at a time`)
      await queryClient.invalidateQueries()
      setEditing(false)
    },
  })
  return (
    <section className="stack tight" aria-label={`How many calls of ${agent.name} may wait`}>
      <h3>How many may wait for people</h3>
      {editing ? (
        <Form most={agent.most_waiting ?? USUAL} saving={save.isPending} error={save.error} onCancel={() => setEditing(false)} onSave={(most) => save.mutate(most)} />
      ) : (
        <>
          <span>{agent.most_waiting === null ? <span className="dim">At most {USUAL} at a time, as usual</span> : `At most ${agent.most_waiting} at a time`}</span>
          <div className="row">
            <Act onClick={() => setEditing(true)} aria-label={`Change how many calls of ${agent.name} may wait`}>Change</Act>
            {agent.most_waiting === null ? null : <Act tone="quiet" loading={save.isPending} onClick={() => save.mutate(null)}>Back to {USUAL}</Act>}
          </div>
          {save.error ? <Problem error={save.error} /> : null}
        </>
      )}
    </section>
  )
}

type FormProps = { most: number; saving: boolean; error: Error | null; onCancel: () => void; onSave: (most: number) => void }

function Form({ most, saving, error, onCancel, onSave }: FormProps) {
  const [text, setText] = useState(String(most))
  const number = /^[0-9]{1,3}$/.test(text.trim()) ? Number(text) : 0
  const problem = number >= 1 && number <= MOST ? undefined : `A number from 1 to ${MOST}`
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) onSave(number)
  }
  return (
    <form onSubmit={submit} className="stack tight">
      <TextInput label="Calls at a time" inputMode="numeric" autoFocus w={120} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      <p className="dim small">{problem ?? 'One more is refused at once, and is on record under a reason of its own.'}</p>
      {error ? <Problem error={error} /> : null}
      <div className="row">
        <Act onClick={onCancel}>Cancel</Act>
        <Act type="submit" tone="primary" loading={saving} disabledReason={problem}>Save</Act>
      </div>
    </form>
  )
}

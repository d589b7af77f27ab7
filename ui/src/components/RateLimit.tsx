import { Select, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import type { Rate } from '@/ipc/generated'
import { fieldsOf, rateText, readRate, type Unit } from '@/lib/rate'
import { Act } from './Act'
import { tellDone } from './notices'
import { Problem } from './Problem'

type Props = {
  /** Whose calls, to follow `at most 60 calls per minute`. */
  whose: string
  name: string
  rate: Rate | null
  onSet: (rate: Rate | null) => Promise<unknown>
}

/** How often something may be called: shown, set and lifted. */
export function RateLimit({ whose, name, rate, onSet }: Props) {
  const queryClient = useQueryClient()
  const [editing, setEditing] = useState(false)
  const save = useMutation({
    mutationFn: onSet,
    onSuccess: async (_, set) => {
      tellDone(set ? `${name}: at most ${rateText(set)}` : `${name} has no limit any more`)
      await queryClient.invalidateQueries()
      setEditing(false)
    },
  })
  return (
    <section className="stack tight" aria-label={`How often ${name} may be called`}>
      <h3>How often</h3>
      {editing ? (
        <Form rate={rate} saving={save.isPending} error={save.error} onCancel={() => setEditing(false)} onSave={(next) => save.mutate(next)} />
      ) : (
        <>
          <span>{rate ? `At most ${rateText(rate)}, ${whose}` : <span className="dim">No limit</span>}</span>
          <div className="row">
            <Act onClick={() => setEditing(true)} aria-label={rate ? `Change the limit of ${name}` : `Set a limit for ${name}`}>{rate ? 'Change' : 'Set a limit'}</Act>
            {rate ? <Act tone="quiet" loading={save.isPending} onClick={() => save.mutate(null)} aria-label={`Lift the limit of ${name}`}>Lift</Act> : null}
          </div>
          {save.error ? <Problem error={save.error} /> : null}
        </>
      )}
    </section>
  )
}

const units: { value: Unit; label: string }[] = [{ value: 'second', label: 'seconds' }, { value: 'minute', label: 'minutes' }, { value: 'hour', label: 'hours' }, { value: 'day', label: 'day' }]

type FormProps = { rate: Rate | null; saving: boolean; error: Error | null; onCancel: () => void; onSave: (rate: Rate) => void }

function Form({ rate, saving, error, onCancel, onSave }: FormProps) {
  const [fields, setFields] = useState(fieldsOf(rate))
  const read = readRate(fields)
  const problem = typeof read === 'string' ? read : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (typeof read !== 'string') onSave(read)
  }
  return (
    <form onSubmit={submit} className="stack tight">
      <div className="row" style={{ alignItems: 'flex-end' }}>
        <TextInput label="Calls" inputMode="numeric" autoFocus w={90} value={fields.calls} onChange={(event) => setFields({ ...fields, calls: event.currentTarget.value })} />
        <TextInput label="In any" inputMode="numeric" w={70} value={fields.time} onChange={(event) => setFields({ ...fields, time: event.currentTarget.value })} />
        <Select aria-label="Unit of the time" w={110} data={units} value={fields.unit} allowDeselect={false} onChange={(unit) => unit && setFields({ ...fields, unit: unit as Unit })} />
      </div>
      <p className="dim small">{problem ?? 'One more is refused with 429 and told when to come back. What is denied is not counted.'}</p>
      {error ? <Problem error={error} /> : null}
      <div className="row">
        <Act onClick={onCancel}>Cancel</Act>
        <Act type="submit" tone="primary" loading={saving} disabledReason={problem}>Save</Act>
      </div>
    </form>
  )
}

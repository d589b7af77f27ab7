import { SegmentedControl, Textarea } from '@mantine/core'
import { useId, useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { grantLabel, GrantMark } from '@/components/Grant'
import { JsonView } from '@/components/JsonView'
import type { ConditionView, Grant, Kind } from '@/ipc/generated'
import { kindLabel } from '@/lib/kinds'
import { laidOut, narrower, schemaProblem } from './condition'

type Props = {
  kind: Kind
  grant: Grant
  condition: ConditionView | null
  onSet: (condition: ConditionView | null) => void
}

/** For which arguments the cell grants what it says, and what it grants to others. */
export function CellCondition({ kind, grant, condition, onSet }: Props) {
  const [editing, setEditing] = useState(false)
  if (grant === 'deny') return null
  return (
    <section className="stack tight">
      <h3>For which arguments</h3>
      {editing ? (
        <Form grant={grant} condition={condition} onCancel={() => setEditing(false)} onSave={(next) => { onSet(next); setEditing(false) }} />
      ) : condition ? (
        <>
          <JsonView source={condition.schema} label="Schema that the arguments satisfy" />
          <span className="row">Others: <GrantMark grant={condition.otherwise} plain /></span>
          <div className="row">
            <Act onClick={() => setEditing(true)}>Change the condition</Act>
            <Act tone="quiet" onClick={() => onSet(null)}>Remove it</Act>
          </div>
        </>
      ) : (
        <>
          <span className="dim">{kind === 'tool' ? 'For all that fit the tool’s schema.' : `For all that the ${kindLabel[kind]} takes.`}</span>
          <div><Act onClick={() => setEditing(true)}>Set a condition</Act></div>
        </>
      )}
    </section>
  )
}

const EXAMPLE = '{\n  "properties": {\n    "amount": { "maximum": 100 }\n  }\n}'

type FormProps = { grant: Grant; condition: ConditionView | null; onSave: (condition: ConditionView) => void; onCancel: () => void }

function Form({ grant, condition, onSave, onCancel }: FormProps) {
  const [schema, setSchema] = useState(condition ? laidOut(condition.schema) : '')
  const choices = narrower(grant)
  const [otherwise, setOtherwise] = useState<Grant>(condition?.otherwise ?? choices[0] ?? 'deny')
  const label = useId()
  const problem = schema.trim() === '' ? null : schemaProblem(schema)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (schema.trim() && !problem) onSave({ schema, otherwise })
  }
  return (
    <form className="stack" onSubmit={submit}>
      <Textarea label="They satisfy" description="A JSON Schema; what it names must be there" placeholder={EXAMPLE} autosize minRows={5} maxRows={16} autoFocus spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }} value={schema} onChange={(event) => setSchema(event.currentTarget.value)} error={problem} />
      <div className="stack tight">
        <span id={label} className="small">Others</span>
        <SegmentedControl aria-labelledby={label} fullWidth size="xs" transitionDuration={0} value={otherwise} onChange={(value) => setOtherwise(value as Grant)} data={choices.map((one) => ({ value: one, label: grantLabel[one] }))} />
      </div>
      <div className="row">
        <Act type="submit" tone="primary" disabledReason={schema.trim() === '' ? 'Say what the arguments have to satisfy' : (problem ?? undefined)}>Enforce</Act>
        <Act tone="quiet" onClick={onCancel}>Cancel</Act>
      </div>
    </form>
  )
}

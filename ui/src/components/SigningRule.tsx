import { Checkbox, SegmentedControl, Select } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { call } from '@/ipc/call'
import type { Signing, ToolView } from '@/ipc/generated'
import { operatorGroupList } from '@/ipc/queries'
import { conditionsOf, isUsual, usualRule, whoSigns } from '@/lib/signing'
import { Act } from './Act'
import { tellDone } from './notices'
import { Problem } from './Problem'
import { useTenant } from './tenant'

type Props = { tool: Pick<ToolView, 'id' | 'name' | 'signing'> }

/** Who has to sign the calls of a tool that need a signature: shown and set. */
export function SigningRule({ tool }: Props) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [editing, setEditing] = useState(false)
  const save = useMutation({
    mutationFn: (signing: Signing) => call('tool_set_signing', { tenant: tenant.id, tool: tool.id, signing }),
    onSuccess: async (_, rule) => {
      tellDone(`Who approves ${tool.name} is changed: ${whoSigns(rule).toLowerCase()}`)
      await queryClient.invalidateQueries()
      setEditing(false)
    },
  })
  const rule = tool.signing
  return (
    <section className="stack tight" aria-label={`Who approves calls of ${tool.name}`}>
      <h3>Who approves</h3>
      {editing ? (
        <Form rule={rule} saving={save.isPending} error={save.error} onCancel={() => setEditing(false)} onSave={(next) => save.mutate(next)} />
      ) : (
        <>
          <span>{isUsual(rule) ? <span className="dim">{whoSigns(rule)}</span> : [whoSigns(rule), ...conditionsOf(rule)].join('; ')}</span>
          <span className="dim small">Counts where the grant is Token.</span>
          <div><Act onClick={() => setEditing(true)} aria-label={`Change who approves calls of ${tool.name}`}>Change</Act></div>
        </>
      )}
    </section>
  )
}

type FormProps = { rule: Signing; saving: boolean; error: Error | null; onCancel: () => void; onSave: (rule: Signing) => void }

function Form({ rule, saving, error, onCancel, onSave }: FormProps) {
  const groups = useQuery(operatorGroupList())
  const [next, setNext] = useState<Signing>(rule)
  const { group, ...withoutGroup } = next
  const names = (groups.data ?? []).map((one) => one.name)
  const members = groups.data?.find((one) => one.name === group)?.members.length
  const tooFew = members !== undefined && members < next.approvers
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onSave(next)
  }
  const asks = (field: 'reason' | 'presence' | 'bar_responsible', label: string, description: string) => (
    <Checkbox label={label} description={description} checked={next[field]} onChange={(event) => setNext({ ...next, [field]: event.currentTarget.checked })} />
  )
  return (
    <form onSubmit={submit} className="stack" style={{ maxWidth: 480 }}>
      <div className="stack tight">
        <span className="small">How many operators have to sign</span>
        <div>
          <SegmentedControl size="xs" aria-label="How many operators have to sign" transitionDuration={0} data={['1', '2', '3', '4', '5']}
            value={String(next.approvers)} onChange={(value) => setNext({ ...next, approvers: Number(value) })} />
        </div>
      </div>
      <Select label="From which group" description="Groups are kept on the page Operators" clearable placeholder="Any operator who may decide" data={names} value={group ?? null}
        onChange={(value) => setNext(value ? { ...withoutGroup, group: value } : withoutGroup)}
        error={tooFew ? `${group} has ${members === 0 ? 'nobody in it' : members === 1 ? 'one operator' : `${members} operators`}: nobody but an owner who breaks the glass could have a call made` : undefined} />
      {asks('reason', 'Each says why', 'Kept with the signature and on record')}
      {asks('presence', 'Each gives the passphrase again', 'An unlocked console is not enough')}
      {asks('bar_responsible', 'Not whoever answers for the agent', 'Named on the agent’s page')}
      {error ? <Problem error={error} /> : null}
      <div className="row">
        <Act onClick={onCancel}>Cancel</Act>
        <Act type="submit" tone="primary" loading={saving}>Save</Act>
        {isUsual(next) ? null : <Act tone="quiet" onClick={() => setNext(usualRule)}>Back to one operator</Act>}
      </div>
    </form>
  )
}

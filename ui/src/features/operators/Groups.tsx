import { Select, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { IconX } from '@/components/icons'
import { Loaded } from '@/components/Loaded'
import { tellFailed } from '@/components/notices'
import { Section } from '@/components/Page'
import { Problem } from '@/components/Problem'
import { call } from '@/ipc/call'
import type { OperatorGroupView, OperatorId, OperatorView } from '@/ipc/generated'
import { operatorGroupList, operatorList } from '@/ipc/queries'
import css from './Operators.module.css'

type Change = { /** Why it cannot be changed here. */ mayChange: string | undefined }

/** The groups whose signature tools can ask for, and who is in them. */
export function Groups({ mayChange }: Change) {
  const operators = useQuery(operatorList())
  const groups = useQuery(operatorGroupList())
  return (
    <Section title="Groups">
      <div className={`panel padded stack ${css.groups}`}>
        <p className="dim">A tool can ask that only operators of a group sign its calls.</p>
        <Loaded query={groups}>
          {(all) => (
            <>
              {all.map((group) => <Group key={group.name} group={group} operators={operators.data ?? []} mayChange={mayChange} />)}
              <NewGroup mayChange={mayChange} />
            </>
          )}
        </Loaded>
      </div>
    </Section>
  )
}

function useChange<T>(run: (value: T) => Promise<unknown>) {
  const queryClient = useQueryClient()
  return useMutation({ mutationFn: run, onSuccess: () => queryClient.invalidateQueries(), onError: tellFailed })
}

function Group({ group, operators, mayChange }: { group: OperatorGroupView; operators: OperatorView[] } & Change) {
  const add = useChange((operator: OperatorId) => call('operator_group_add', { group: group.name, operator }))
  const drop = useChange((operator: OperatorId) => call('operator_group_drop', { group: group.name, operator }))
  const remove = useChange(() => call('operator_group_remove', { group: group.name }))
  const outside = operators.filter((one) => !group.members.some((member) => member.id === one.id))
  const used = group.tools.length > 0 ? `Asked for by ${group.tools.join(', ')}` : undefined
  const askToRemove = () =>
    confirm({ title: `Remove group ${group.name}?`, body: `${group.members.length === 0 ? 'Nobody is' : group.members.map((one) => one.name).join(', ')} in it. No tool asks for it.`, action: 'Remove the group', run: () => remove.mutateAsync(undefined as never) })
  return (
    <section className={css.group} aria-label={`Group ${group.name}`}>
      <div className="row spread">
        <b>{group.name}</b>
        <Act tone="quiet" onClick={askToRemove} disabledReason={mayChange ?? used} aria-label={`Remove group ${group.name}`}>Remove</Act>
      </div>
      <ul className={css.members}>
        {group.members.map((one) => (
          <li key={one.id}>
            {one.name}
            {mayChange ? null : <button type="button" aria-label={`Take ${one.name} out of ${group.name}`} onClick={() => drop.mutate(one.id)}><IconX size={12} /></button>}
          </li>
        ))}
        {group.members.length === 0 ? <li className="dim" data-empty>nobody yet</li> : null}
      </ul>
      <div className="row wrap">
        {mayChange ? null : (
          <Select size="xs" aria-label={`Put somebody into ${group.name}`} placeholder={outside.length === 0 ? 'Every operator is in it' : 'Add an operator'} disabled={outside.length === 0} value={null}
            data={outside.map((one) => ({ value: one.id, label: one.name }))} onChange={(value) => value && add.mutate(value as OperatorId)} />
        )}
        <span className="dim small">{used ?? 'No tool asks for it'}</span>
      </div>
    </section>
  )
}

function NewGroup({ mayChange }: Change) {
  const queryClient = useQueryClient()
  const [name, setName] = useState('')
  const make = useMutation({
    mutationFn: () => call('operator_group_create', { name: name.trim() }),
    onSuccess: async () => {
      setName('')
      await queryClient.invalidateQueries()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (name.trim() && !mayChange) make.mutate()
  }
  return (
    <form onSubmit={submit} className="stack tight">
      <div className="row" style={{ alignItems: 'flex-end' }}>
        <TextInput label="New group" placeholder="finance" spellCheck={false} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Act type="submit" size="sm" loading={make.isPending} disabledReason={mayChange ?? (name.trim() ? undefined : 'Name it first')}>Make</Act>
      </div>
      {make.error ? <Problem error={make.error} /> : null}
    </form>
  )
}

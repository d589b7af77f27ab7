import { Checkbox, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Act } from '@/components/Act'
import { Loaded } from '@/components/Loaded'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { AgentView, RoleId, TaskId } from '@/ipc/generated'
import { matrix, taskList } from '@/ipc/queries'
import { nameProblem } from '@/lib/names'
import { plural } from '@/lib/format'

type Props = { agent: AgentView | null; onDone: (agent: AgentView | null) => void }

/** Makes an agent, or changes its roles and tasks. */
export function AgentForm({ agent, onDone }: Props) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const roles = useQuery(matrix(tenant.id))
  const tasks = useQuery(taskList(tenant.id))
  const [name, setName] = useState(agent?.name ?? '')
  const [chosenRoles, setRoles] = useState<RoleId[]>(agent?.roles.map((role) => role.id) ?? [])
  const [chosenTasks, setTasks] = useState<TaskId[]>(agent?.tasks.map((task) => task.id) ?? [])
  const save = useMutation({
    mutationFn: () => {
      const shape = { tenant: tenant.id, roles: chosenRoles, tasks: chosenTasks }
      return agent ? call('agent_update', { ...shape, agent: agent.id }) : call('agent_create', { ...shape, name })
    },
    onSuccess: async (saved) => {
      tellDone(agent ? `Agent ${saved.name} is changed` : `Agent ${saved.name} is there. Issue it a key next.`)
      await queryClient.invalidateQueries()
      onDone(saved)
    },
  })
  const problem = agent ? undefined : nameProblem(name)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) save.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      {agent ? null : (
        <TextInput label="Name" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} error={name && problem} />
      )}
      <Loaded query={roles}>
        {(view) => (
          <Choice title="Roles" hint="What it may ever do" none="There is no role yet: add one in the matrix."
            options={view.roles.map((role) => ({ id: role.id, label: role.name, note: plural(view.tools.filter((_, row) => view.cells[row]?.[view.roles.indexOf(role)] !== 'deny').length, 'tool') }))}
            chosen={chosenRoles} onChange={setRoles} />
        )}
      </Loaded>
      <Loaded query={tasks}>
        {(all) => (
          <Choice title="Tasks" hint="What it may be working on" none="There is no task yet: without one an agent has no tools."
            options={all.map((task) => ({ id: task.id, label: task.name, note: plural(task.tools.length, 'tool') }))}
            chosen={chosenTasks} onChange={setTasks} />
        )}
      </Loaded>
      {save.error ? <Problem error={save.error} /> : null}
      <div className="row spread">
        <Act onClick={() => onDone(agent)}>Cancel</Act>
        <Act type="submit" tone="primary" loading={save.isPending} disabledReason={problem}>{agent ? 'Save' : 'Create'}</Act>
      </div>
    </form>
  )
}

type ChoiceProps<Id extends string> = {
  title: string
  hint: string
  none: ReactNode
  options: { id: Id; label: string; note: string }[]
  chosen: Id[]
  onChange: (chosen: Id[]) => void
}

function Choice<Id extends string>({ title, hint, none, options, chosen, onChange }: ChoiceProps<Id>) {
  return (
    <Checkbox.Group label={title} description={hint} value={chosen} onChange={(value) => onChange(value as Id[])}>
      <div className="stack tight" style={{ marginTop: 8, maxHeight: '28vh', overflowY: 'auto' }}>
        {options.length === 0 ? <span className="dim">{none}</span> : null}
        {options.map((option) => (
          <Checkbox key={option.id} value={option.id} size="xs" label={<>{option.label} <span className="dim">· {option.note}</span></>} />
        ))}
      </div>
    </Checkbox.Group>
  )
}

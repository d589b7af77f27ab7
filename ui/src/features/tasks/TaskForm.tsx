import { NumberInput, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { announceEnforced } from '@/components/enforced'
import { Loaded } from '@/components/Loaded'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { ToolPicker } from '@/components/ToolPicker'
import { call } from '@/ipc/call'
import type { TaskView, ToolId } from '@/ipc/generated'
import { matrix } from '@/ipc/queries'
import { nameProblem } from '@/lib/names'
import { plural } from '@/lib/format'

const minutes = (value: string | number, otherwise: number) => (typeof value === 'number' && value > 0 ? Math.round(value * 60) : otherwise)

/** Makes a task, or changes the tools and times of one. */
export function TaskForm({ task, onDone }: { task: TaskView | null; onDone: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const tools = useQuery(matrix(tenant.id))
  const [name, setName] = useState(task?.name ?? '')
  const [chosen, setChosen] = useState<ToolId[]>(task?.tools ?? [])
  const [expected, setExpected] = useState(task?.expected_secs ?? 900)
  const [longest, setLongest] = useState(task?.longest_secs ?? 3_600)

  const save = useMutation({
    mutationFn: () => {
      const shape = { tenant: tenant.id, tools: chosen, expected_secs: expected, longest_secs: longest }
      return task ? call('task_update', { ...shape, task: task.id }) : call('task_create', { ...shape, name })
    },
    onSuccess: async (saved) => {
      tellDone(task ? `Task ${saved.name} is changed` : `Task ${saved.name} is there`)
      await queryClient.invalidateQueries()
      onDone()
    },
  })
  const askToRemove = () =>
    task &&
    confirm({
      title: `Remove task ${task.name}?`,
      body: `${plural(task.agents.length, 'agent')} can no longer declare it${task.agents.length > 0 ? ` (${task.agents.map((agent) => agent.name).join(', ')})` : ''}; ${plural(task.live_sessions, 'live session')} under it ends up without tools at the next request.`,
      action: 'Remove the task',
      run: async () => {
        const asked = performance.now()
        announceEnforced(await call('task_remove', { tenant: tenant.id, task: task.id }), asked)
        await queryClient.invalidateQueries()
        onDone()
      },
    })
  const problem = (task ? undefined : nameProblem(name)) ?? (longest < expected ? 'The longest session is shorter than the expected time' : undefined)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) save.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      {task ? null : (
        <TextInput label="Name" description="Agents declare it: a name cannot be changed later" data-autofocus value={name}
          onChange={(event) => setName(event.currentTarget.value)} error={name && nameProblem(name)} />
      )}
      <div className="row" style={{ alignItems: 'flex-start' }}>
        <NumberInput className="grow" label="Expected to take" suffix=" min" min={1} value={expected / 60} onChange={(value) => setExpected(minutes(value, expected))} />
        <NumberInput className="grow" label="Longest session" suffix=" min" min={1} value={longest / 60} onChange={(value) => setLongest(minutes(value, longest))} />
      </div>
      <Loaded query={tools}>
        {(view) => <ToolPicker view={view} chosen={chosen} onChange={setChosen} />}
      </Loaded>
      {save.error ? <Problem error={save.error} /> : null}
      <div className="row spread">
        {task ? <Act tone="danger" onClick={askToRemove}>Remove</Act> : <Act onClick={onDone}>Cancel</Act>}
        <Act type="submit" tone="primary" loading={save.isPending} disabledReason={problem}>{task ? 'Save' : 'Create'}</Act>
      </div>
    </form>
  )
}

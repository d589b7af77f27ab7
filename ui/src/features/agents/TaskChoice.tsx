import { Select } from '@mantine/core'
import type { AgentView } from '@/ipc/generated'
import { tasksWithin, type Limits } from './limits'

type Props = { agent: AgentView; limits: Limits; task: string | null; onChange: (task: string | null) => void }

/** The task that a ready configuration declares. */
export function TaskChoice({ agent, limits, task, onChange }: Props) {
  return (
    <Select label="Task that its configuration declares" value={task} onChange={onChange} clearable
      data={tasksWithin(agent, limits).map((one) => ({ value: one.id, label: one.name }))}
      placeholder={agent.tasks.length === 0 ? 'The agent has no task: it will see no tools' : 'None: it will see no tools'} />
  )
}

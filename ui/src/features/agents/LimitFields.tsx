import { Checkbox, Textarea } from '@mantine/core'
import type { AgentView, TaskId } from '@/ipc/generated'
import css from './Agents.module.css'
import { limitProblem, type Limits } from './limits'

type Props = { agent: AgentView; limits: Limits; onChange: (limits: Limits) => void }

/** What a credential is narrowed to, besides what its agent may do. */
export function LimitFields({ agent, limits, onChange }: Props) {
  return (
    <>
      {agent.tasks.length > 0 ? (
        <Checkbox.Group label="Only for these tasks" description="None chosen: all tasks of the agent" value={limits.tasks} onChange={(tasks) => onChange({ ...limits, tasks: tasks as TaskId[] })}>
          <div className={css.choices}>
            {agent.tasks.map((task) => <Checkbox key={task.id} value={task.id} size="xs" label={task.name} />)}
          </div>
        </Checkbox.Group>
      ) : null}
      <Textarea label="Only from these networks" description="One a line, as 10.0.0.0/8. None: from anywhere" rows={2} spellCheck={false} classNames={{ input: css.mono ?? '' }}
        value={limits.networks} onChange={(event) => onChange({ ...limits, networks: event.currentTarget.value })} error={limitProblem(limits)} />
    </>
  )
}

import { Drawer } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Page } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import type { TaskView } from '@/ipc/generated'
import { taskList } from '@/ipc/queries'
import { count, exactDuration } from '@/lib/format'
import { TaskForm } from './TaskForm'

/** The purposes that agents may declare, each with its own tools. */
export function TasksPage() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const query = useQuery(taskList(tenant.id))
  const columns = useMemo(() => columnsWith(), [])
  const open = query.data?.find((task) => task.id === address.task)
  const creating = address.new === '1'
  const close = () => set({ new: undefined, task: undefined })
  return (
    <Page
      title="Tasks"
      lead="A declared purpose with its own list of tools. An agent gets what its role grants and the task lists: never more than either."
      actions={<Act tone="primary" onClick={() => set({ new: '1', task: undefined })}>Create a task</Act>}
    >
      <Loaded query={query}>
        {(tasks) => (
          <DataTable
            label="Tasks"
            rows={tasks}
            columns={columns}
            rowKey={(task) => task.id}
            onOpen={(task) => set({ task: task.id, new: undefined })}
            openKey={address.task}
            empty={
              <Empty title="No task yet" action={<Act tone="primary" onClick={() => set({ new: '1' })}>Create a task</Act>}>
                Without a task an agent has no tools at all. Name what the work is for, and list the tools that it needs.
              </Empty>
            }
          />
        )}
      </Loaded>
      <Drawer opened={creating || open !== undefined} onClose={close} title={creating ? 'Create a task' : `Task ${open?.name ?? ''}`} size={480}>
        {creating || open ? <TaskForm key={open?.id ?? 'new'} task={creating ? null : (open ?? null)} onDone={close} /> : null}
      </Drawer>
    </Page>
  )
}

const columnsWith = (): Column<TaskView>[] => [
  { id: 'name', title: 'Task', value: (task) => task.name, cell: (task) => task.name },
  { id: 'tools', title: 'Tools', align: 'end', value: (task) => task.tools.length, cell: (task) => count(task.tools.length) },
  { id: 'expected', title: 'Expected', align: 'end', value: (task) => task.expected_secs, cell: (task) => exactDuration(task.expected_secs) },
  { id: 'longest', title: 'Longest', align: 'end', value: (task) => task.longest_secs, cell: (task) => exactDuration(task.longest_secs) },
  {
    id: 'agents', title: 'Agents', value: (task) => task.agents.length,
    cell: (task) => (task.agents.length === 0 ? <span className="dim">none</span> : <span title={task.agents.map((agent) => agent.name).join(', ')}>{few(task.agents.map((agent) => agent.name))}</span>),
  },
  { id: 'live', title: 'Live', align: 'end', value: (task) => task.live_sessions, cell: (task) => count(task.live_sessions) },
]

const few = (names: string[]) => (names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`)

import { Select } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { Configurations, Fact, Issued, OnceDialog, OnlyNow, Stored } from '@/components/Once'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { AgentView, IssuedKey, TaskId } from '@/ipc/generated'
import { LimitFields } from './LimitFields'
import { lifetimes, limitArgs, limitProblem, noLimits, tasksWithin, usualLifetime, type Limits } from './limits'
import { TaskChoice } from './TaskChoice'

type Props = { agent: AgentView; onClose: () => void }

/** Issues a key. The secret is shown once, in a dialog that only its own button closes. */
export function IssueKey({ agent, onClose }: Props) {
  const [issued, setIssued] = useState<IssuedKey | null>(null)
  return (
    <OnceDialog title={issued ? `The key of ${agent.name}` : `Issue a key to ${agent.name}`} held={issued !== null} size={issued ? 720 : 'md'} onClose={onClose}>
      {issued ? <Shown issued={issued} onClose={onClose} /> : <Ask agent={agent} onIssued={setIssued} onCancel={onClose} />}
    </OnceDialog>
  )
}

function Ask({ agent, onIssued, onCancel }: { agent: AgentView; onIssued: (key: IssuedKey) => void; onCancel: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [lifetime, setLifetime] = useState(usualLifetime)
  const [task, setTask] = useState<string | null>(agent.tasks[0]?.id ?? null)
  const [limits, setLimits] = useState(noLimits)
  const narrow = (next: Limits) => {
    setLimits(next)
    const left = tasksWithin(agent, next)
    if (!left.some((one) => one.id === task)) setTask(left[0]?.id ?? null)
  }
  const issue = useMutation({
    mutationFn: () =>
      call('credential_issue', {
        tenant: tenant.id, agent: agent.id, kind: 'api_key', lifetime_secs: Number(lifetime),
        ...(task && { task: task as TaskId }), ...limitArgs(limits),
      }),
    onSuccess: (key) => {
      onIssued(key)
      void queryClient.invalidateQueries({ queryKey: ['registry'] })
    },
  })
  return (
    <div className="stack">
      <Select label="Valid for" data={lifetimes} value={lifetime} onChange={(value) => value && setLifetime(value)} allowDeselect={false} />
      <TaskChoice agent={agent} limits={limits} task={task} onChange={setTask} />
      <LimitFields agent={agent} limits={limits} onChange={narrow} />
      {issue.error ? <Problem error={issue.error} /> : null}
      <div className="row spread">
        <Act onClick={onCancel}>Cancel</Act>
        <Act tone="primary" onClick={() => issue.mutate()} loading={issue.isPending} disabledReason={limitProblem(limits)}>Issue the key</Act>
      </div>
    </div>
  )
}

function Shown({ issued, onClose }: { issued: IssuedKey; onClose: () => void }) {
  return (
    <Issued label="The key">
      <OnlyNow>The secret is shown only now. Countersign cannot show it again.</OnlyNow>
      <dl className="facts">
        <Fact title="Key id" text={issued.key_id} />
        <Fact title="Secret" text={issued.secret} secret />
        <Fact title="Endpoint" text={issued.endpoint} />
        <dt>Expires</dt><dd><Time at={issued.expires} /></dd>
      </dl>
      <Configurations all={issued.configurations} />
      <Stored what="secret" onClose={onClose} />
    </Issued>
  )
}

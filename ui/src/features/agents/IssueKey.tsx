import { Checkbox, Modal, Select, Tabs } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { CopyButton } from '@/components/Copy'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { AgentView, IssuedKey, TaskId } from '@/ipc/generated'
import css from './Agents.module.css'
import { LimitFields } from './LimitFields'
import { lifetimes, limitArgs, limitProblem, noLimits, tasksWithin, usualLifetime, type Limits } from './limits'

type Props = { agent: AgentView; opened: boolean; onClose: () => void }

/** Issues a key. The secret is shown once, in a dialog that only its own button closes. */
export function IssueKey({ agent, opened, onClose }: Props) {
  const [issued, setIssued] = useState<IssuedKey | null>(null)
  const close = () => {
    setIssued(null)
    onClose()
  }
  return (
    <Modal
      opened={opened}
      onClose={issued ? () => undefined : close}
      closeOnClickOutside={!issued}
      closeOnEscape={!issued}
      withCloseButton={!issued}
      title={issued ? `The key of ${agent.name}` : `Issue a key to ${agent.name}`}
      size={issued ? 720 : 'md'}
    >
      {issued ? <Shown key_={issued} onClose={close} /> : <Ask agent={agent} onIssued={setIssued} onCancel={close} />}
    </Modal>
  )
}

function Ask({ agent, onIssued, onCancel }: { agent: AgentView; onIssued: (key: IssuedKey) => void; onCancel: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [lifetime, setLifetime] = useState(usualLifetime)
  const [task, setTask] = useState<string | null>(agent.tasks[0]?.id ?? null)
  const [limits, setLimits] = useState(noLimits)
  const declarable = tasksWithin(agent, limits)
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
      <Select label="Task that its configuration declares" value={task} onChange={setTask} clearable
        data={declarable.map((one) => ({ value: one.id, label: one.name }))}
        placeholder={agent.tasks.length === 0 ? 'The agent has no task: it will see no tools' : 'None: it will see no tools'} />
      <LimitFields agent={agent} limits={limits} onChange={narrow} />
      {issue.error ? <Problem error={issue.error} /> : null}
      <div className="row spread">
        <Act onClick={onCancel}>Cancel</Act>
        <Act tone="primary" onClick={() => issue.mutate()} loading={issue.isPending} disabledReason={limitProblem(limits)}>Issue the key</Act>
      </div>
    </div>
  )
}

function Shown({ key_: key, onClose }: { key_: IssuedKey; onClose: () => void }) {
  const [kept, setKept] = useState(false)
  const first = key.configurations[0]
  return (
    <div className="stack">
      <p className={css.once}>The secret is shown only now. Countersign cannot show it again.</p>
      <dl className="facts">
        <dt>Key id</dt><dd className="row"><code>{key.key_id}</code><CopyButton text={key.key_id} label="Copy the key id" /></dd>
        <dt>Secret</dt><dd className="row"><code className={css.secret}>{key.secret}</code><CopyButton text={key.secret} label="Copy the secret" /></dd>
        <dt>Endpoint</dt><dd className="row"><code>{key.endpoint}</code><CopyButton text={key.endpoint} label="Copy the endpoint" /></dd>
        <dt>Expires</dt><dd><Time at={key.expires} /></dd>
      </dl>
      {first ? (
        <Tabs defaultValue={first.title} keepMounted={false}>
          <Tabs.List>
            {key.configurations.map((one) => (
              <Tabs.Tab key={one.title} value={one.title}>{one.title}</Tabs.Tab>
            ))}
          </Tabs.List>
          {key.configurations.map((one) => (
            <Tabs.Panel key={one.title} value={one.title} pt="sm">
              <p className="dim">{one.hint}</p>
              <div className={css.configuration}>
                <pre tabIndex={0} aria-label={one.title}>{one.text}</pre>
                <span className={css.copy}><CopyButton text={one.text} label={`Copy ${one.title}`} /></span>
              </div>
            </Tabs.Panel>
          ))}
        </Tabs>
      ) : null}
      <div className="row spread">
        <Checkbox label="I have stored the secret" checked={kept} onChange={(event) => setKept(event.currentTarget.checked)} />
        <Act tone="primary" onClick={onClose} disabledReason={kept ? undefined : 'Say first that you have stored the secret: it is never shown again'}>Close</Act>
      </div>
    </div>
  )
}

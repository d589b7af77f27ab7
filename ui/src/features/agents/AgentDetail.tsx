import { Menu } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { CopyId } from '@/components/Copy'
import { announceEnforced } from '@/components/enforced'
import { IconChevronDown } from '@/components/icons'
import { tellDone, tellFailed } from '@/components/notices'
import { RateLimit } from '@/components/RateLimit'
import { StandingMark } from '@/components/Standing'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { AgentView } from '@/ipc/generated'
import { plural } from '@/lib/format'
import { AgentForm } from './AgentForm'
import { Credentials } from './Credentials'
import { Responsible } from './Responsible'
import { WaitingLimit } from './WaitingLimit'

/** What opens on top of the page of an agent. */
export type Dialog = 'key' | 'certificate' | 'client' | 'outside' | 'register' | 'revoke'
type Props = { agent: AgentView; onOpen: (dialog: Dialog) => void; onGone: () => void }

/** Everything about one agent: what it may, what it proves itself with, and how to stop it. */
export function AgentDetail({ agent, onOpen, onGone }: Props) {
  const tenant = useTenant()
  const [editing, setEditing] = useState(false)
  const suspended = agent.standing === 'suspended' ? 'The agent is suspended' : undefined
  if (editing) return <AgentForm agent={agent} onDone={() => setEditing(false)} />
  return (
    <div className="stack wide">
      <dl className="facts">
        <dt>Standing</dt><dd><StandingMark standing={agent.standing} /></dd>
        <dt>Roles</dt><dd>{agent.roles.map((role) => role.name).join(', ') || 'none: it has no tools'}</dd>
        <dt>Tasks</dt><dd>{agent.tasks.map((task) => task.name).join(', ') || 'none: it has no tools'}</dd>
        <dt>Last seen</dt><dd><Time at={agent.last_seen} /></dd>
        <dt>Live sessions</dt>
        <dd>{agent.live_sessions} · <Link to="/t/$tenant/sessions" params={{ tenant: tenant.name }}>show</Link></dd>
        <dt>Id</dt><dd><CopyId id={agent.id} whole /></dd>
      </dl>
      <div className="row">
        <Act onClick={() => setEditing(true)}>Change roles and tasks</Act>
        <Link to="/t/$tenant/explain" params={{ tenant: tenant.name }} search={{ agent: agent.id, ...(agent.tasks[0] && { task: agent.tasks[0].id }) } as never}>What may it call, and why?</Link>
      </div>
      <RateLimit whose="of any tool" name={agent.name} rate={agent.rate} onSet={(rate) => call('agent_set_rate', { tenant: tenant.id, agent: agent.id, ...(rate && { rate }) })} />
      <WaitingLimit agent={agent} />
      <Responsible key={agent.responsible?.id ?? 'nobody'} agent={agent} />
      <section className="stack">
        <div className="row spread">
          <h2>Credentials</h2>
          <div className="row">
            <OtherWays onOpen={onOpen} disabledReason={suspended} />
            <Act tone="primary" onClick={() => onOpen('key')} disabledReason={suspended}>Issue a key</Act>
          </div>
        </div>
        <Credentials agent={agent} />
      </section>
      <Stop agent={agent} onRevoke={() => onOpen('revoke')} onGone={onGone} />
      <Link to="/t/$tenant/audit" params={{ tenant: tenant.name }} search={{ agent: agent.id } as never}>Everything on record about this agent</Link>
    </div>
  )
}

const ways: { dialog: Dialog; title: string; hint: string }[] = [
  { dialog: 'certificate', title: 'Issue a certificate', hint: 'Mutual TLS: valid for days, for a key made here or its own' },
  { dialog: 'outside', title: 'Register a certificate', hint: 'One that an outside authority has issued' },
  { dialog: 'client', title: 'Register a client of the built-in issuer', hint: 'It gets access tokens of minutes from the gateway itself' },
  { dialog: 'register', title: 'Register an external identity', hint: 'A subject of your identity provider, with its access tokens' },
]

function OtherWays({ onOpen, disabledReason }: { onOpen: (dialog: Dialog) => void; disabledReason: string | undefined }) {
  if (disabledReason) return <Act disabledReason={disabledReason}>Other ways</Act>
  return (
    <Menu position="bottom-end" transitionProps={{ duration: 0 }} withInitialFocusPlaceholder={false}>
      <Menu.Target><Act rightSection={<IconChevronDown size={14} />}>Other ways</Act></Menu.Target>
      <Menu.Dropdown>
        {ways.map(({ dialog, title, hint }) => (
          <Menu.Item key={dialog} onClick={() => onOpen(dialog)}>
            {title}<br /><span className="dim small">{hint}</span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function Stop({ agent, onRevoke, onGone }: { agent: AgentView; onRevoke: () => void; onGone: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const setStanding = useMutation({
    mutationFn: (standing: AgentView['standing']) => call('agent_set_standing', { tenant: tenant.id, agent: agent.id, standing }),
    onSuccess: async (saved) => {
      tellDone(`${saved.name} is ${saved.standing}`)
      await queryClient.invalidateQueries()
    },
    onError: tellFailed,
  })
  const cut = `${plural(agent.live_sessions, 'live session')} and ${plural(agent.credentials.filter((one) => one.state === 'active').length, 'active credential')}`
  const askToSuspend = () =>
    confirm({
      title: `Suspend ${agent.name}?`,
      body: `Its next request is refused. Cut off: ${cut}. Nothing is removed: resuming restores it.`,
      action: 'Suspend',
      run: () => setStanding.mutateAsync('suspended'),
    })
  const askToRemove = () =>
    confirm({
      title: `Remove ${agent.name}?`,
      body: `It loses access at once and for good: ${cut}. What it did stays on record.`,
      action: 'Remove the agent',
      run: async () => {
        const asked = performance.now()
        announceEnforced(await call('agent_remove', { tenant: tenant.id, agent: agent.id }), asked)
        onGone()
        await queryClient.invalidateQueries()
      },
    })
  return (
    <section className="stack">
      <h2>Stop it</h2>
      <div className="row">
        {agent.standing === 'active' ? (
          <Act onClick={askToSuspend}>Suspend</Act>
        ) : (
          <Act onClick={() => setStanding.mutate('active')}>Resume</Act>
        )}
        <Act tone="danger" onClick={onRevoke}>Revoke everything</Act>
        <Act tone="danger" onClick={askToRemove}>Remove the agent</Act>
      </div>
    </section>
  )
}

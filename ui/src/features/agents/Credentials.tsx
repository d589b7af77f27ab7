import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { CopyId } from '@/components/Copy'
import { Mark, type Tone } from '@/components/Mark'
import { tellDone, tellFailed } from '@/components/notices'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { AgentView, CredentialState, CredentialView } from '@/ipc/generated'
import { plural } from '@/lib/format'
import css from './Agents.module.css'

const word: Record<CredentialState, string> = { active: 'Active', expired: 'Expired', revoked: 'Revoked', suspended: 'Suspended' }
const tone: Record<CredentialState, Tone> = { active: 'good', expired: 'plain', revoked: 'plain', suspended: 'care' }

/** The keys of an agent. */
export function Credentials({ agent }: { agent: AgentView }) {
  if (agent.credentials.length === 0) {
    return <p className="dim">No key yet: the agent cannot connect. Issue one; it is shown once, with a ready configuration.</p>
  }
  return (
    <div className="panel">
      {agent.credentials.map((credential) => (
        <Key key={credential.id} agent={agent} credential={credential} />
      ))}
    </div>
  )
}

function Key({ agent, credential }: { agent: AgentView; credential: CredentialView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const where = { tenant: tenant.id, credential: credential.id }
  const revoke = useMutation({
    mutationFn: () => call('credential_revoke', where),
    onSuccess: async () => {
      tellDone(`Key ${credential.key_id} is revoked`)
      await queryClient.invalidateQueries()
    },
  })
  const release = useMutation({
    mutationFn: () => call('credential_release', where),
    onSuccess: () => queryClient.invalidateQueries(),
    onError: tellFailed,
  })
  const askToRevoke = () =>
    confirm({
      title: `Revoke this key of ${agent.name}?`,
      body: <>Key <code>{credential.key_id}</code> stops working with the next request and cannot come back. Cut off: {agent.name}, with {plural(agent.live_sessions, 'live session')}.</>,
      action: 'Revoke the key',
      run: () => revoke.mutateAsync(),
    })
  return (
    <div className={css.key}>
      <div className="grow stack tight">
        <div className="row">
          <Mark tone={tone[credential.state]}>{word[credential.state]}</Mark>
          <CopyId id={credential.key_id} whole />
        </div>
        <span className="dim small">
          {credential.state === 'active' ? <>expires <Time at={credential.expires} /> · </> : null}
          {credential.last_used ? <>last used <Time at={credential.last_used} />{credential.last_from ? ` from ${credential.last_from}` : ''}</> : 'never used'}
        </span>
      </div>
      {credential.state === 'suspended' ? <Act onClick={() => release.mutate()} loading={release.isPending}>Release</Act> : null}
      {credential.state === 'active' || credential.state === 'suspended' ? <Act tone="danger" onClick={askToRevoke}>Revoke</Act> : null}
    </div>
  )
}

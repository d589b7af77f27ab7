import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Act } from '@/components/Act'
import { isUsable, kindWord, stateTone, stateWord, useRevoke } from '@/components/credential'
import { Expires } from '@/components/Expires'
import { Mark } from '@/components/Mark'
import { tellFailed } from '@/components/notices'
import { ProofLine } from '@/components/ProofLine'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { AgentView, CredentialView } from '@/ipc/generated'
import css from './Agents.module.css'

/** What an agent proves itself with. */
export function Credentials({ agent }: { agent: AgentView }) {
  if (agent.credentials.length === 0) {
    return <p className="dim">Nothing yet: the agent cannot connect. Issue a key or a certificate; what is secret is shown once, with a ready configuration. Or register its identity at your provider.</p>
  }
  return (
    <div className="panel">
      {agent.credentials.map((credential) => (
        <Credential key={credential.id} agent={agent} credential={credential} />
      ))}
    </div>
  )
}

function Credential({ agent, credential }: { agent: AgentView; credential: CredentialView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const revoke = useRevoke()
  const release = useMutation({
    mutationFn: () => call('credential_release', { tenant: tenant.id, credential: credential.id }),
    onSuccess: () => queryClient.invalidateQueries(),
    onError: tellFailed,
  })
  return (
    <div className={css.key}>
      <div className="grow stack tight">
        <div className="row wrap">
          <Mark tone={stateTone[credential.state]}>{stateWord[credential.state]}</Mark>
          <b>{kindWord[credential.kind]}</b>
        </div>
        <ProofLine credential={credential} />
        <span className="dim small">
          {credential.last_used ? <>last used <Time at={credential.last_used} />{credential.last_from ? ` from ${credential.last_from}` : ''}</> : 'never used'}
        </span>
        <span className="dim small">
          {credential.state === 'active' ? <>expires <Expires credential={credential} /> · </> : null}
          {credential.networks.length === 0 ? 'from any network' : <>only from <span className="mono">{credential.networks.join(', ')}</span></>}
          {credential.tasks === null ? null : <> · only for {credential.tasks.map((task) => task.name).join(', ') || 'tasks that are gone'}</>}
        </span>
      </div>
      {credential.state === 'suspended' ? <Act onClick={() => release.mutate()} loading={release.isPending}>Release</Act> : null}
      {isUsable(credential) ? <Act tone="danger" onClick={() => revoke(agent, credential)}>Revoke</Act> : null}
    </div>
  )
}

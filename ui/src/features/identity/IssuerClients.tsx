import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { Act } from '@/components/Act'
import { CopyId } from '@/components/Copy'
import { clientMethodWord, isUsable, stateTone, stateWord, useRevoke } from '@/components/credential'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Expires } from '@/components/Expires'
import { Mark } from '@/components/Mark'
import { Section } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import type { AgentView, CredentialView } from '@/ipc/generated'
import { agentList } from '@/ipc/queries'
import css from './Identity.module.css'

type Client = { credential: CredentialView; agent: AgentView | undefined }

/** Who may get tokens from the built-in issuer. */
export function IssuerClients({ clients }: { clients: CredentialView[] }) {
  const tenant = useTenant()
  const revoke = useRevoke()
  const agents = useQuery(agentList(tenant.id)).data
  const rows = useMemo(() => clients.map((credential) => ({ credential, agent: agents?.find((one) => one.id === credential.agent) })), [clients, agents])
  const columns = useMemo(() => columnsWith(tenant.name, revoke), [tenant.name, revoke])
  return (
    <Section title="Clients">
      <DataTable
        label="Clients of the built-in issuer"
        rows={rows}
        columns={columns}
        rowKey={({ credential }) => credential.id}
        empty={
          <Empty title="No client yet" action={<Link to="/t/$tenant/agents" params={{ tenant: tenant.name }}>Choose an agent</Link>}>
            A client is registered on the page of its agent, under Other ways. Its tokens are that agent’s.
          </Empty>
        }
      />
    </Section>
  )
}

const columnsWith = (tenant: string, revoke: (agent: AgentView, credential: CredentialView) => void): Column<Client>[] => [
  {
    id: 'client', title: 'Client', value: ({ credential }) => credential.key_id,
    cell: ({ credential, agent }) => (
      <div className={css.what}>
        {agent ? <Link to="/t/$tenant/agents" params={{ tenant }} search={{ agent: agent.id } as never} className="ellipsis">{agent.name}</Link> : null}
        <span><CopyId id={credential.key_id} whole /></span>
      </div>
    ),
  },
  { id: 'method', title: 'Proven by', value: ({ credential }) => methodOf(credential), cell: ({ credential }) => methodOf(credential) },
  { id: 'state', title: 'State', value: ({ credential }) => credential.state, cell: ({ credential }) => <Mark tone={stateTone[credential.state]}>{stateWord[credential.state]}</Mark> },
  { id: 'expires', title: 'Expires', value: ({ credential }) => credential.expires, cell: ({ credential }) => <Expires credential={credential} /> },
  { id: 'used', title: 'Last used', value: ({ credential }) => credential.last_used ?? '', cell: ({ credential }) => <Time at={credential.last_used} /> },
  {
    id: 'revoke', title: '', align: 'end',
    cell: ({ agent, credential }) => (agent && isUsable(credential) ? <Act tone="danger" onClick={() => revoke(agent, credential)} aria-label={`Revoke client ${credential.key_id}`}>Revoke</Act> : null),
  },
]

const methodOf = ({ proof }: CredentialView) => (proof.kind === 'client' ? clientMethodWord[proof.method] : '')

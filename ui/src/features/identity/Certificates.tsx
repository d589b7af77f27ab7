import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { CopyId } from '@/components/Copy'
import { isUsable, stateTone, stateWord, useRevoke } from '@/components/credential'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Expires } from '@/components/Expires'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { Section } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import { Time, useNow } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import type { AgentView, CredentialView } from '@/ipc/generated'
import { agentList, authorityShow } from '@/ipc/queries'
import { expiresSoon } from '@/lib/expiry'
import { count, plural } from '@/lib/format'
import { certificatesOf, type Certificate } from './certificates'
import css from './Identity.module.css'

/** Which certificates agents have. */
export function Certificates() {
  const tenant = useTenant()
  const query = useQuery(agentList(tenant.id))
  return <Loaded query={query}>{(agents) => <Issued agents={agents} />}</Loaded>
}

function Issued({ agents }: { agents: AgentView[] }) {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const now = useNow()
  const revoke = useRevoke()
  const all = useMemo(() => certificatesOf(agents), [agents])
  const usable = useMemo(() => all.filter(({ credential }) => isUsable(credential)), [all])
  const outside = useQuery(authorityShow(tenant.id)).data?.outside
  const columns = useMemo(() => columnsWith(tenant.name, new Map(outside?.map((one) => [one.id, one.name])), revoke), [tenant.name, outside, revoke])
  const soon = usable.filter(({ credential }) => expiresSoon(credential, now)).length
  const whole = address.show === 'all'
  return (
    <Section
      title="Certificates of agents"
      aside={all.length > usable.length ? (
        <SegmentedControl size="xs" aria-label="Which certificates" transitionDuration={0} value={whole ? 'all' : 'valid'} onChange={(value) => set({ show: value === 'all' ? value : undefined })}
          data={[{ value: 'valid', label: `Valid (${count(usable.length)})` }, { value: 'all', label: `All (${count(all.length)})` }]} />
      ) : null}
    >
      {soon > 0 ? <p className={css.warning} role="note">{plural(soon, 'certificate')} {soon === 1 ? 'expires' : 'expire'} soon. An agent whose certificate has expired is refused: issue the next one before that, the old one stays valid beside it.</p> : null}
      <DataTable
        label="Certificates of agents"
        rows={whole ? all : usable}
        columns={columns}
        rowKey={({ credential }) => credential.id}
        empty={
          <Empty title={all.length > 0 ? 'No certificate is valid now' : 'No certificate yet'} action={<Link to="/t/$tenant/agents" params={{ tenant: tenant.name }}>Choose an agent</Link>}>
            A certificate is issued to an agent, on its page: for a key that is made here, or for the agent’s own. It lasts for days and is renewed.
          </Empty>
        }
      />
    </Section>
  )
}

const columnsWith = (tenant: string, authorities: Map<string, string>, revoke: (agent: AgentView, credential: CredentialView) => void): Column<Certificate>[] => [
  {
    id: 'agent', title: 'Agent', value: ({ agent }) => agent.name,
    cell: ({ agent, spiffe, fingerprint }) => (
      <div className={css.what}>
        <Link to="/t/$tenant/agents" params={{ tenant }} search={{ agent: agent.id } as never} className="ellipsis">{agent.name}</Link>
        {spiffe === null ? null : <span className={`dim ${css.value} ${css.spiffe}`} title={spiffe}><Untrusted text={spiffe} /></span>}
        {spiffe === null && fingerprint !== null ? <span className="dim small">SHA-256 <CopyId id={fingerprint} /></span> : null}
      </div>
    ),
  },
  {
    id: 'serial', title: 'Serial or issuer', value: ({ serial, authority }) => serial ?? authority ?? '',
    cell: ({ serial, authority }) => <span className="nowrap">{serial === null ? (authorities.get(authority ?? '') ?? 'another authority') : <CopyId id={serial} />}</span>,
  },
  {
    id: 'expires', title: 'Expires', value: ({ credential }) => credential.expires,
    cell: ({ credential }) => (credential.state === 'active' ? <Expires credential={credential} /> : <Mark tone={stateTone[credential.state]}>{stateWord[credential.state]}</Mark>),
  },
  { id: 'used', title: 'Last used', value: ({ credential }) => credential.last_used ?? '', cell: ({ credential }) => <Time at={credential.last_used} /> },
  {
    id: 'revoke', title: '', align: 'end',
    cell: ({ agent, credential, serial }) => (isUsable(credential) ? <Act tone="danger" onClick={() => revoke(agent, credential)} aria-label={`Revoke certificate ${serial ?? credential.key_id}`}>Revoke</Act> : null),
  },
]

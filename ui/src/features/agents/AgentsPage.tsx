import { Drawer } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Page } from '@/components/Page'
import { RevokeEverything } from '@/components/RevokeEverything'
import { StandingMark } from '@/components/Standing'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import type { AgentView } from '@/ipc/generated'
import { agentList } from '@/ipc/queries'
import { count } from '@/lib/format'
import { AgentDetail, type Dialog } from './AgentDetail'
import { AgentForm } from './AgentForm'
import { IssueCertificate } from './IssueCertificate'
import { IssueKey } from './IssueKey'
import { RegisterCertificate } from './RegisterCertificate'
import { RegisterClient } from './RegisterClient'
import { RegisterIdentity } from './RegisterIdentity'

/** The programs that call tools in this tenant. */
export function AgentsPage() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const query = useQuery(agentList(tenant.id))
  const columns = useMemo(() => columnsWith(), [])
  const open = query.data?.find((agent) => agent.id === address.agent)
  const creating = address.new === '1'
  // Kept here and not in the drawer: what closes the drawer must not take a secret with it.
  const [dialog, setDialog] = useState<{ kind: Dialog; agent: AgentView } | null>(null)
  const above = dialog !== null
  const close = () => set({ new: undefined, agent: undefined })
  return (
    <Page
      title="Agents"
      lead="Programs that call tools. What an agent may do comes from its roles and from the task it declares."
      actions={<Act tone="primary" onClick={() => set({ new: '1', agent: undefined })}>Create an agent</Act>}
    >
      <Loaded query={query}>
        {(agents) => (
          <DataTable
            label="Agents"
            rows={agents}
            columns={columns}
            rowKey={(agent) => agent.id}
            onOpen={(agent) => set({ agent: agent.id, new: undefined })}
            openKey={address.agent}
            empty={
              <Empty title="No agent yet" action={<Act tone="primary" onClick={() => set({ new: '1' })}>Create an agent</Act>}>
                Create one for each program that should reach tools, give it a role and a task, then issue it a key or register its identity at your provider.
              </Empty>
            }
          />
        )}
      </Loaded>
      <Drawer opened={creating} onClose={close} title="Create an agent" size={480}>
        {creating ? <AgentForm agent={null} onDone={(agent) => set({ new: undefined, agent: agent?.id })} /> : null}
      </Drawer>
      <Drawer opened={!creating && open !== undefined} onClose={close} title={open ? `Agent ${open.name}` : ''} size={560}
        closeOnEscape={!above} closeOnClickOutside={!above}>
        {open ? <AgentDetail key={open.id} agent={open} onOpen={(kind) => setDialog({ kind, agent: open })} onGone={close} /> : null}
      </Drawer>
      {dialog ? <OnTop {...dialog} onClose={() => setDialog(null)} /> : null}
    </Page>
  )
}

function OnTop({ kind, agent, onClose }: { kind: Dialog; agent: AgentView; onClose: () => void }) {
  switch (kind) {
    case 'key': return <IssueKey agent={agent} onClose={onClose} />
    case 'certificate': return <IssueCertificate agent={agent} onClose={onClose} />
    case 'client': return <RegisterClient agent={agent} onClose={onClose} />
    case 'outside': return <RegisterCertificate agent={agent} onClose={onClose} />
    case 'register': return <RegisterIdentity agent={agent} onClose={onClose} />
    case 'revoke': return <RevokeEverything whose={{ kind: 'agent', agent }} onClose={onClose} />
  }
}

const names = (all: { name: string }[]) => all.map((one) => one.name).join(', ')
const none = (word: string) => <span className="dim">{word}</span>

const columnsWith = (): Column<AgentView>[] => [
  { id: 'name', title: 'Agent', value: (agent) => agent.name, cell: (agent) => agent.name },
  { id: 'standing', title: 'Standing', value: (agent) => agent.standing, cell: (agent) => <StandingMark standing={agent.standing} /> },
  { id: 'roles', title: 'Roles', value: (agent) => names(agent.roles), cell: (agent) => names(agent.roles) || none('none: no tools') },
  { id: 'tasks', title: 'Tasks', value: (agent) => names(agent.tasks), cell: (agent) => names(agent.tasks) || none('none: no tools') },
  {
    id: 'credentials', title: 'Credentials', align: 'end', value: (agent) => active(agent),
    cell: (agent) => (active(agent) === 0 ? none('none') : count(active(agent))),
  },
  { id: 'live', title: 'Live sessions', align: 'end', value: (agent) => agent.live_sessions, cell: (agent) => count(agent.live_sessions) },
  { id: 'seen', title: 'Last seen', value: (agent) => agent.last_seen ?? '', cell: (agent) => <Time at={agent.last_seen} /> },
]

const active = (agent: AgentView) => agent.credentials.filter((credential) => credential.state === 'active').length

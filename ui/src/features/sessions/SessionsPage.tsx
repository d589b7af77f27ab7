import { Drawer, Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useAddress } from '@/components/address'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { Page } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import type { SessionView } from '@/ipc/generated'
import { sessionList } from '@/ipc/queries'
import { count } from '@/lib/format'
import { EndNow, Release } from './Ending'
import { SessionDetail } from './SessionDetail'
import { SessionEnds, stateWord } from './state'

/** The authorization sessions of the tenant. */
export function SessionsPage() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const liveOnly = address.all !== '1'
  const query = useQuery(sessionList(tenant.id, liveOnly))
  const columns = useMemo(() => columnsWith(liveOnly), [liveOnly])
  const open = query.data?.find((session) => session.id === address.session)
  return (
    <Page
      title="Sessions"
      lead="One agent, one task, and the list of tools that was frozen when it began. It can only shrink."
      actions={
        <Switch label="Ended ones too" checked={!liveOnly} onChange={(event) => set({ all: event.currentTarget.checked ? '1' : undefined })} />
      }
    >
      <Loaded query={query}>
        {(sessions) => (
          <DataTable
            label="Sessions"
            rows={sessions}
            columns={columns}
            rowKey={(session) => session.id}
            onOpen={(session) => set({ session: session.id })}
            openKey={address.session}
            empty={
              <Empty title={liveOnly ? 'Nobody is connected' : 'No session yet'} action={<Link to="/t/$tenant/agents" params={{ tenant: tenant.name }}>Connect an agent</Link>}>
                A session begins with the first request of an agent. Issue a key to an agent and paste its configuration into its client.
              </Empty>
            }
          />
        )}
      </Loaded>
      <Drawer opened={open !== undefined} onClose={() => set({ session: undefined })} title={open ? `Session of ${open.agent_name}` : ''} size={520}>
        {open ? <SessionDetail session={open} /> : null}
      </Drawer>
    </Page>
  )
}

// Where only live ones are shown, their state says nothing.
const columnsWith = (liveOnly: boolean): Column<SessionView>[] => columns.filter((column) => column.id !== 'state' || !liveOnly)

const columns: Column<SessionView>[] = [
  { id: 'agent', title: 'Agent', value: (session) => session.agent_name, cell: (session) => session.agent_name },
  { id: 'task', title: 'Task', value: (session) => session.task_name ?? '', cell: (session) => session.task_name ?? <span className="dim">none: no tools</span> },
  {
    id: 'state', title: 'State', value: (session) => session.state,
    cell: (session) => <Mark tone={session.state === 'live' ? 'good' : session.state === 'operator' ? 'care' : 'plain'}>{stateWord[session.state]}</Mark>,
  },
  { id: 'opened', title: 'Opened', roomy: true, value: (session) => session.opened, cell: (session) => <Time at={session.opened} /> },
  { id: 'client', title: 'From', roomy: true, value: (session) => session.client ?? '', cell: (session) => (session.client ? <span className="mono nowrap">{session.client}</span> : <span className="dim">unknown</span>) },
  { id: 'ends', title: 'Time left', value: (session) => session.ended ?? session.ends, cell: (session) => <SessionEnds session={session} /> },
  { id: 'tools', title: 'Tools', align: 'end', value: (session) => session.tools.length, cell: (session) => <ToolCount session={session} /> },
  { id: 'calls', title: 'Calls', align: 'end', roomy: true, value: (session) => session.calls, cell: (session) => count(session.calls) },
  {
    id: 'anomalies', title: 'Anomalies', align: 'end', value: (session) => session.anomalies,
    cell: (session) => (session.anomalies >= 5 ? <Mark tone="bad">{session.anomalies}</Mark> : count(session.anomalies)),
  },
  { id: 'end', title: '', align: 'end', cell: (session) => (session.state === 'live' ? <EndNow session={session} /> : <Release session={session} />) },
]

/** How many tools are on its list, and how many of them it has lost since. */
function ToolCount({ session }: { session: SessionView }) {
  const narrowed = session.tools.filter((tool) => tool.now !== tool.grant).length
  if (narrowed === 0) return count(session.tools.length)
  return <Mark tone="care" title="Narrowed since the session opened">{count(session.tools.length)}, {count(narrowed)} narrowed</Mark>
}

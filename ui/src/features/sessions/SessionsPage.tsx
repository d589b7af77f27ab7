import { Drawer, Switch } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { confirm } from '@/components/confirm'
import { CopyId } from '@/components/Copy'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { GrantMark } from '@/components/Grant'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { tellDone } from '@/components/notices'
import { Page } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { SessionState, SessionView } from '@/ipc/generated'
import { sessionList } from '@/ipc/queries'
import { count, plural } from '@/lib/format'

const stateWord: Record<SessionState, string> = {
  live: 'Live', client: 'Ended by the client', credential: 'Credential withdrawn', expired: 'Expired', operator: 'Ended by an operator',
}

/** The authorization sessions of the tenant. */
export function SessionsPage() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const liveOnly = address.all !== '1'
  const query = useQuery(sessionList(tenant.id, liveOnly))
  const columns = useMemo(() => columnsWith(), [])
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
      <Drawer opened={open !== undefined} onClose={() => set({ session: undefined })} title={open ? `Session of ${open.agent_name}` : ''} size={440}>
        {open ? <SessionDetail session={open} /> : null}
      </Drawer>
    </Page>
  )
}

const columnsWith = (): Column<SessionView>[] => [
  { id: 'agent', title: 'Agent', value: (session) => session.agent_name, cell: (session) => session.agent_name },
  { id: 'task', title: 'Task', value: (session) => session.task_name ?? '', cell: (session) => session.task_name ?? <span className="dim">none: no tools</span> },
  {
    id: 'state', title: 'State', value: (session) => session.state,
    cell: (session) => <Mark tone={session.state === 'live' ? 'good' : session.state === 'operator' ? 'care' : 'plain'}>{stateWord[session.state]}</Mark>,
  },
  { id: 'opened', title: 'Opened', value: (session) => session.opened, cell: (session) => <Time at={session.opened} /> },
  { id: 'ends', title: 'Ends', value: (session) => session.ended ?? session.ends, cell: (session) => <Time at={session.ended ?? session.ends} /> },
  { id: 'tools', title: 'Tools', align: 'end', value: (session) => session.tools.length, cell: (session) => count(session.tools.length) },
  { id: 'calls', title: 'Calls', align: 'end', value: (session) => session.calls, cell: (session) => count(session.calls) },
  {
    id: 'anomalies', title: 'Anomalies', align: 'end', value: (session) => session.anomalies,
    cell: (session) => (session.anomalies >= 5 ? <Mark tone="bad">{session.anomalies}</Mark> : count(session.anomalies)),
  },
  { id: 'end', title: '', align: 'end', cell: (session) => (session.state === 'live' ? <EndNow session={session} /> : null) },
]

function EndNow({ session }: { session: SessionView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const end = useMutation({
    mutationFn: () => call('session_end', { tenant: tenant.id, session: session.id }),
    onSuccess: async () => {
      tellDone(`The session of ${session.agent_name} is over`)
      await queryClient.invalidateQueries()
    },
  })
  const ask = () =>
    confirm({
      title: `End the session of ${session.agent_name}?`,
      body: `Its next request is refused, and the credential that opened it is suspended until you release it. ${plural(session.calls, 'call')} so far; what waits for approval is withdrawn.`,
      action: 'End the session',
      run: () => end.mutateAsync(),
    })
  return (
    <span onClick={(event) => event.stopPropagation()}>
      <Act tone="danger" onClick={ask}>End now</Act>
    </span>
  )
}

function SessionDetail({ session }: { session: SessionView }) {
  const tenant = useTenant()
  return (
    <div className="stack wide">
      <dl className="facts">
        <dt>State</dt><dd>{stateWord[session.state]}</dd>
        <dt>Session</dt><dd><CopyId id={session.id} whole /></dd>
        <dt>Agent</dt><dd>{session.agent_name}</dd>
        <dt>Task</dt><dd>{session.task_name ?? 'none declared'}</dd>
        <dt>Credential</dt><dd><CopyId id={session.credential} /></dd>
        <dt>Opened</dt><dd><Time at={session.opened} /> under version {count(session.policy_version)}</dd>
        <dt>Ends</dt><dd><Time at={session.ended ?? session.ends} /></dd>
        <dt>Calls</dt><dd>{count(session.calls)}, with {plural(session.anomalies, 'anomaly', 'anomalies')}</dd>
      </dl>
      <section className="stack tight">
        <h2>Frozen allowlist</h2>
        {session.tools.length === 0 ? <p className="dim">Nothing: no tool is granted by a role and listed by the task.</p> : null}
        {session.tools.map((tool) => (
          <div key={tool.listed} className="row spread">
            <code className="ellipsis" title={tool.listed}>{tool.listed}</code>
            <GrantMark grant={tool.grant} />
          </div>
        ))}
      </section>
      <Link to="/t/$tenant/audit" params={{ tenant: tenant.name }} search={{ session: session.id } as never}>Everything on record about this session</Link>
      {session.state === 'live' ? <div><EndNow session={session} /></div> : null}
    </div>
  )
}

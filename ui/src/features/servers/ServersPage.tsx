import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { HealthMark } from '@/components/Health'
import { Loaded } from '@/components/Loaded'
import { Page } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import type { ServerView } from '@/ipc/generated'
import { serverList } from '@/ipc/queries'
import { count } from '@/lib/format'
import { AddServer } from './AddServer'
import { Templates } from './Templates'
import { transportText } from './transport'

/** The MCP servers behind the gateway. */
export function ServersPage() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const navigate = useNavigate()
  const query = useQuery(serverList(tenant.id))
  const columns = useMemo(() => columnsWith(), [])
  return (
    <Page
      title="Servers and tools"
      lead="MCP servers behind the gateway. Agents reach their tools only through it, and only as they were when you took them in."
      actions={
        <>
          <Act onClick={() => set({ templates: '1' })}>Templates</Act>
          <Act tone="primary" onClick={() => set({ new: '1' })}>Add a server</Act>
        </>
      }
    >
      <Loaded query={query}>
        {(servers) => (
          <DataTable
            label="Servers"
            rows={servers}
            columns={columns}
            rowKey={(server) => server.id}
            onOpen={(server) => void navigate({ to: '/t/$tenant/servers/$server', params: { tenant: tenant.name, server: server.id } })}
            empty={
              <Empty title="No server yet" action={<Act tone="primary" onClick={() => set({ new: '1' })}>Add a server</Act>}>
                Give the command or the address of an MCP server. Countersign asks it which tools it has, and you choose those to take in.
              </Empty>
            }
          />
        )}
      </Loaded>
      <AddServer opened={address.new === '1'} onClose={() => set({ new: undefined })} />
      <Templates opened={address.templates === '1'} onClose={() => set({ templates: undefined })} />
    </Page>
  )
}

const columnsWith = (): Column<ServerView>[] => [
  { id: 'name', title: 'Server', value: (server) => server.name, cell: (server) => server.name },
  { id: 'health', title: 'State', value: (server) => server.health, cell: (server) => <HealthMark server={server} /> },
  { id: 'kind', title: 'Runs as', value: (server) => server.transport.kind, cell: (server) => (server.transport.kind === 'stdio' ? 'Program' : 'HTTP') },
  {
    id: 'where', title: 'Command or address', value: (server) => transportText(server.transport),
    cell: (server) => <code style={{ overflowWrap: 'anywhere' }}>{transportText(server.transport)}</code>,
  },
  { id: 'tools', title: 'Tools', align: 'end', value: (server) => server.tools, cell: (server) => <span className="nowrap">{count(server.enabled_tools)} of {count(server.tools)}</span> },
  { id: 'restarts', title: 'Restarts', align: 'end', value: (server) => server.restarts, cell: (server) => count(server.restarts) },
]

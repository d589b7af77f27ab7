import { Modal, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { confirm } from '@/components/confirm'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { tellDone } from '@/components/notices'
import { Page } from '@/components/Page'
import { Problem } from '@/components/Problem'
import { StandingMark } from '@/components/Standing'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { TenantView } from '@/ipc/generated'
import { tenantList } from '@/ipc/queries'
import { nameProblem } from '@/lib/names'
import { count, plural } from '@/lib/format'

/** Every tenant of this installation. */
export function TenantsPage() {
  const [address, set] = useAddress()
  const query = useQuery(tenantList())
  const navigate = useNavigate()
  return (
    <Page
      title="Tenants"
      lead="A tenant is an isolation boundary: no agent, tool, credential or record crosses it."
      actions={<Act tone="primary" onClick={() => set({ new: '1' })}>Create a tenant</Act>}
    >
      <Loaded query={query}>
        {(tenants) => (
          <DataTable
            label="Tenants"
            rows={tenants}
            columns={columns}
            rowKey={(tenant) => tenant.id}
            onOpen={(tenant) => void navigate({ to: '/t/$tenant/overview', params: { tenant: tenant.name } })}
            empty={
              <Empty title="No tenant yet" action={<><Act tone="primary" onClick={() => set({ new: '1' })}>Create a tenant</Act><LoadStarter /></>}>
                Everything belongs to a tenant: servers, tools, roles, agents. Create the first one, or look around in the
                starter, which can be removed without trace.
              </Empty>
            }
          />
        )}
      </Loaded>
      <CreateTenant opened={address.new === '1'} onClose={() => set({ new: undefined })} />
    </Page>
  )
}

const columns: Column<TenantView>[] = [
  {
    id: 'name', title: 'Tenant', value: (tenant) => tenant.name,
    cell: (tenant) => <>{tenant.name} {tenant.starter ? <span className="dim small">starter</span> : null}</>,
  },
  { id: 'standing', title: 'Standing', value: (tenant) => tenant.standing, cell: (tenant) => <StandingMark standing={tenant.standing} /> },
  { id: 'agents', title: 'Agents', align: 'end', value: (tenant) => tenant.agents, cell: (tenant) => count(tenant.agents) },
  { id: 'servers', title: 'Servers', align: 'end', value: (tenant) => tenant.servers, cell: (tenant) => count(tenant.servers) },
  { id: 'tools', title: 'Tools', align: 'end', value: (tenant) => tenant.tools, cell: (tenant) => count(tenant.tools) },
  { id: 'live', title: 'Live', align: 'end', value: (tenant) => tenant.live_sessions, cell: (tenant) => count(tenant.live_sessions) },
  { id: 'created', title: 'Created', value: (tenant) => tenant.created, cell: (tenant) => <Time at={tenant.created} /> },
  { id: 'actions', title: '', align: 'end', cell: (tenant) => <TenantActions tenant={tenant} /> },
]

function useTenantsChanged() {
  const queryClient = useQueryClient()
  return () => queryClient.invalidateQueries()
}

function TenantActions({ tenant }: { tenant: TenantView }) {
  const changed = useTenantsChanged()
  const setStanding = useMutation({
    mutationFn: (standing: TenantView['standing']) => call('tenant_set_standing', { tenant: tenant.id, standing }),
    onSuccess: changed,
  })
  const remove = useMutation({ mutationFn: () => call('starter_remove'), onSuccess: changed })
  const askToSuspend = () =>
    confirm({
      title: `Suspend ${tenant.name}?`,
      body: `Every call of its ${plural(tenant.agents, 'agent')} is refused from now on; ${plural(tenant.live_sessions, 'live session')} cannot go on. Nothing is removed: resuming restores it.`,
      action: 'Suspend',
      run: () => setStanding.mutateAsync('suspended'),
    })
  const askToRemove = () =>
    confirm({
      title: `Remove the starter?`,
      body: `Tenant ${tenant.name} goes, with ${plural(tenant.agents, 'agent')}, ${plural(tenant.servers, 'server')}, ${plural(tenant.tools, 'tool')}, its matrix and its sandbox folder. Its keys stop working at once. Audit events stay.`,
      action: 'Remove the starter',
      run: () => remove.mutateAsync(),
    })
  return (
    // The row opens the tenant; its buttons do not.
    <div className="row" onClick={(event) => event.stopPropagation()} style={{ justifyContent: 'flex-end' }}>
      {tenant.standing === 'active' ? (
        <Act onClick={askToSuspend}>Suspend</Act>
      ) : (
        <Act onClick={() => setStanding.mutate('active')} loading={setStanding.isPending}>Resume</Act>
      )}
      {tenant.starter ? <Act tone="danger" onClick={askToRemove}>Remove</Act> : null}
    </div>
  )
}

export function LoadStarter() {
  const changed = useTenantsChanged()
  const load = useMutation({
    mutationFn: () => call('starter_load'),
    onSuccess: (tenant) => {
      tellDone(`The starter is there: tenant ${tenant.name}`)
      return changed()
    },
  })
  return (
    <>
      <Act onClick={() => load.mutate()} loading={load.isPending}>Load the starter</Act>
      {load.error ? <Problem error={load.error} /> : null}
    </>
  )
}

function CreateTenant({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [name, setName] = useState('')
  const changed = useTenantsChanged()
  const navigate = useNavigate()
  const create = useMutation({
    mutationFn: () => call('tenant_create', { name }),
    onSuccess: async (tenant) => {
      await changed()
      setName('')
      void navigate({ to: '/t/$tenant/overview', params: { tenant: tenant.name } })
    },
  })
  const problem = nameProblem(name)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) create.mutate()
  }
  return (
    <Modal opened={opened} onClose={onClose} title="Create a tenant">
      <form onSubmit={submit} className="stack">
        <TextInput label="Name" description="Stands in the gateway’s addresses and cannot be changed" data-autofocus value={name}
          onChange={(event) => setName(event.currentTarget.value)} error={name && problem} />
        {create.error ? <Problem error={create.error} /> : null}
        <div className="row spread">
          <Act onClick={onClose}>Cancel</Act>
          <Act type="submit" tone="primary" loading={create.isPending} disabledReason={problem}>Create</Act>
        </div>
      </form>
    </Modal>
  )
}

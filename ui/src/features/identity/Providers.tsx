import { Drawer } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { useTenant } from '@/components/tenant'
import { Untrusted } from '@/components/Untrusted'
import type { ProviderView } from '@/ipc/generated'
import { providerList } from '@/ipc/queries'
import { count } from '@/lib/format'
import { AddProvider } from './AddProvider'
import { EditProvider } from './EditProvider'
import css from './Identity.module.css'
import { ProviderDetail } from './ProviderDetail'
import { ProviderMark } from './ProviderMark'
import { RevokeForm, type Wanted } from './RevokeForm'
import { TestToken } from './TestToken'

/** Whose access tokens are accepted. */
export function Providers() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const query = useQuery(providerList(tenant.id))
  const columns = useMemo(() => columnsWith(), [])
  const [editing, setEditing] = useState<ProviderView | null>(null)
  const [revoking, setRevoking] = useState<Wanted | null>(null)
  const open = query.data?.find((provider) => provider.id === address.provider)
  const testing = query.data?.find((provider) => provider.id === address.test)
  // A dialog on top of the drawer is closed first.
  const above = editing !== null || revoking !== null || testing !== undefined
  const close = () => set({ provider: undefined })
  return (
    <>
      <Loaded query={query}>
        {(providers) => (
          <DataTable
            label="Identity providers"
            rows={providers}
            columns={columns}
            rowKey={(provider) => provider.id}
            onOpen={(provider) => set({ provider: provider.id, new: undefined, test: undefined })}
            openKey={address.provider}
            empty={
              <Empty title="No identity provider yet" action={<Act tone="primary" onClick={() => set({ new: '1' })}>Add an identity provider</Act>}>
                Add the one that issues access tokens to your agents, by its issuer. Until then agents prove themselves with API keys alone, and every access token is refused.
              </Empty>
            }
          />
        )}
      </Loaded>
      <AddProvider opened={address.new === '1'} onClose={() => set({ new: undefined })} onAdded={(provider) => set({ new: undefined, provider: provider.id })} />
      <Drawer opened={open !== undefined} onClose={close} title={open ? `Identity provider ${open.name}` : ''} size={560} closeOnEscape={!above} closeOnClickOutside={!above}>
        {open ? (
          <ProviderDetail key={open.id} provider={open} onEdit={() => setEditing(open)} onTest={() => set({ test: open.id })} onRevoke={setRevoking} onGone={close} />
        ) : null}
      </Drawer>
      {editing ? <EditProvider provider={editing} onClose={() => setEditing(null)} /> : null}
      {revoking ? <RevokeForm wanted={revoking} onClose={() => setRevoking(null)} /> : null}
      {testing ? <TestToken providers={query.data ?? []} provider={testing} onChoose={(provider) => set({ test: provider })} onClose={() => set({ test: undefined })} /> : null}
    </>
  )
}

export function ProvidersActions() {
  const tenant = useTenant()
  const [, set] = useAddress()
  const first = useQuery(providerList(tenant.id)).data?.[0]
  return (
    <>
      <Act onClick={() => set({ test: first?.id })} disabledReason={first ? undefined : 'There is no provider to test against'}>Test a token</Act>
      <Act tone="primary" onClick={() => set({ new: '1', provider: undefined })}>Add a provider</Act>
    </>
  )
}

const columnsWith = (): Column<ProviderView>[] => [
  { id: 'name', title: 'Provider', value: (provider) => provider.name, cell: (provider) => <span className="nowrap">{provider.name}</span> },
  { id: 'standing', title: 'Standing', value: (provider) => (provider.enabled ? provider.status.standing : 'off'), cell: (provider) => <ProviderMark provider={provider} /> },
  { id: 'issuer', title: 'Issuer', value: (provider) => provider.settings.issuer, cell: (provider) => <span className={`${css.value} ${css.clamp}`} title={provider.settings.issuer}><Untrusted text={provider.settings.issuer} /></span> },
  { id: 'keys', title: 'Keys', align: 'end', value: (provider) => provider.status.keys.length, cell: (provider) => keys(provider) },
  { id: 'subjects', title: 'Subjects', align: 'end', value: (provider) => provider.subjects, cell: (provider) => count(provider.subjects) },
]

function keys({ status: { keys: known, ignored } }: ProviderView) {
  if (known.length === 0) return <span className="dim">none</span>
  return ignored.length === 0 ? count(known.length) : <span className="nowrap" title={`${ignored.length} more cannot be used`}>{count(known.length)} <span className="dim">of {count(known.length + ignored.length)}</span></span>
}

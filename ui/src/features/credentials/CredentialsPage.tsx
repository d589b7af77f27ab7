import { Drawer, Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { Loaded } from '@/components/Loaded'
import { Page } from '@/components/Page'
import { RevokeAll } from '@/components/RevokeAll'
import { useTenant } from '@/components/tenant'
import type { CredentialId, RotatedView } from '@/ipc/generated'
import { credentialRow } from '@/ipc/queries'
import { Calendar } from './Calendar'
import { CredentialDetail } from './CredentialDetail'
import { Inventory } from './Inventory'
import { Keeping } from './Keeping'
import { Posture } from './Posture'
import { RotateAll } from './RotateAll'
import { Rotated } from './Rotated'

const tabs = [
  { value: 'list', label: 'Credentials' },
  { value: 'calendar', label: 'Next 90 days' },
  { value: 'posture', label: 'Posture' },
  { value: 'lifecycle', label: 'Lifecycle' },
]

/** What the tenant's agents prove themselves with: how old it is, what comes next, and what to do about it. */
export function CredentialsPage() {
  const [address, set] = useAddress()
  const tab = tabs.find((one) => one.value === address.tab)?.value ?? 'list'
  // What is open belongs to the tab that was left.
  const go = (next: string | null) => set({ tab: next === 'list' ? undefined : (next ?? undefined), credential: undefined, day: undefined })
  // Kept here and not in the drawer: what closes the drawer must not take a secret with it.
  const [rotated, setRotated] = useState<RotatedView | null>(null)
  const close = () => set({ credential: undefined })
  const closeBulk = () => set({ bulk: undefined })
  return (
    <Page
      title="Credentials"
      lead="What agents prove themselves with. Each has an age, a next date and an end, and is replaced or revoked by itself when its time comes."
      actions={
        <>
          <Act onClick={() => set({ bulk: 'rotate' })}>Replace keys…</Act>
          <Act tone="danger" onClick={() => set({ bulk: 'revoke' })}>Revoke everything…</Act>
        </>
      }
    >
      <Tabs value={tab} onChange={go} keepMounted={false}>
        <Tabs.List>
          {tabs.map((one) => <Tabs.Tab key={one.value} value={one.value}>{one.label}</Tabs.Tab>)}
        </Tabs.List>
        <Tabs.Panel value="list" pt="md"><Inventory /></Tabs.Panel>
        <Tabs.Panel value="calendar" pt="md"><Calendar /></Tabs.Panel>
        <Tabs.Panel value="posture" pt="md"><Posture /></Tabs.Panel>
        <Tabs.Panel value="lifecycle" pt="md"><Keeping /></Tabs.Panel>
      </Tabs>
      <Drawer opened={address.credential !== undefined} onClose={close} title="Credential" size={560} closeOnEscape={rotated === null} closeOnClickOutside={rotated === null}>
        {address.credential === undefined ? null : <One key={address.credential} id={address.credential as CredentialId} onRotated={setRotated} />}
      </Drawer>
      {address.bulk === 'rotate' ? <RotateAll onClose={closeBulk} /> : null}
      {address.bulk === 'revoke' ? <RevokeAll onClose={closeBulk} /> : null}
      {rotated?.secret ? <Rotated rotated={rotated} secret={rotated.secret} onClose={() => setRotated(null)} /> : null}
    </Page>
  )
}

function One({ id, onRotated }: { id: CredentialId; onRotated: (rotated: RotatedView) => void }) {
  const tenant = useTenant()
  const query = useQuery(credentialRow(tenant.id, id))
  return <Loaded query={query}>{(row) => (row === null ? <p className="dim">It is not there any more.</p> : <CredentialDetail row={row} onRotated={onRotated} />)}</Loaded>
}

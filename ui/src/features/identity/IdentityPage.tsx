import { Tabs } from '@mantine/core'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { Page } from '@/components/Page'
import { RevokeAll } from '@/components/RevokeAll'
import { Authentication } from './Authentication'
import { Authorities } from './Authorities'
import { Certificates } from './Certificates'
import { Issuer } from './Issuer'
import { Providers, ProvidersActions } from './Providers'
import { Revocations } from './Revocations'

const tabs = [
  { value: 'providers', label: 'Identity providers' },
  { value: 'issuer', label: 'Built-in issuer' },
  { value: 'certificates', label: 'Certificates' },
  { value: 'authorities', label: 'Authorities' },
  { value: 'revocations', label: 'Revocations' },
  { value: 'authentication', label: 'Authentication' },
]

/** Who is calling, and how they prove it. */
export function IdentityPage() {
  const [address, set] = useAddress()
  const tab = tabs.find((one) => one.value === address.tab)?.value ?? 'providers'
  // What is open belongs to the tab that was left.
  const go = (next: string | null) => set({ tab: next === 'providers' ? undefined : (next ?? undefined), new: undefined, provider: undefined, test: undefined, show: undefined })
  return (
    <Page title="Identity" lead="Who is calling, and what proves it: whose access tokens and certificates are accepted, what was withdrawn, and who was turned away." actions={<Actions tab={tab} />}>
      <Tabs value={tab} onChange={go} keepMounted={false}>
        <Tabs.List>
          {tabs.map((one) => <Tabs.Tab key={one.value} value={one.value}>{one.label}</Tabs.Tab>)}
        </Tabs.List>
        <Tabs.Panel value="providers" pt="md"><Providers /></Tabs.Panel>
        <Tabs.Panel value="issuer" pt="md"><Issuer /></Tabs.Panel>
        <Tabs.Panel value="certificates" pt="md"><Certificates /></Tabs.Panel>
        <Tabs.Panel value="authorities" pt="md"><Authorities /></Tabs.Panel>
        <Tabs.Panel value="revocations" pt="md"><Revocations /></Tabs.Panel>
        <Tabs.Panel value="authentication" pt="md"><Authentication /></Tabs.Panel>
      </Tabs>
    </Page>
  )
}

function Actions({ tab }: { tab: string }) {
  if (tab === 'providers') return <ProvidersActions />
  return tab === 'revocations' ? <RevocationActions /> : null
}

function RevocationActions() {
  const [, set] = useAddress()
  const [all, setAll] = useState(false)
  return (
    <>
      <Act tone="danger" onClick={() => setAll(true)}>Revoke everything of…</Act>
      <Act tone="primary" onClick={() => set({ new: '1' })}>Revoke</Act>
      {all ? <RevokeAll onClose={() => setAll(false)} /> : null}
    </>
  )
}

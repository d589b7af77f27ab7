import { Switch, Tabs } from '@mantine/core'
import { useAddress } from '@/components/address'
import { Page } from '@/components/Page'
import { AlertList } from './AlertList'
import { Attempts } from './Attempts'
import { Rules } from './Rules'

const tabs = [
  { value: 'alerts', label: 'Alerts' },
  { value: 'rules', label: 'Rules' },
  { value: 'attempts', label: 'Attempts per session' },
]

/** What rules found that a person should know of, and how the rules are set. */
export function AlertsPage() {
  const [address, set] = useAddress()
  const tab = tabs.find((one) => one.value === address.tab)?.value ?? 'alerts'
  // What is open belongs to the tab that was left.
  const go = (next: string | null) => set({ tab: next === 'alerts' ? undefined : (next ?? undefined), alert: undefined, rule: undefined, all: undefined })
  const actions =
    tab === 'alerts' ? <Switch label="Acknowledged ones too" checked={address.all === '1'} onChange={(event) => set({ all: event.currentTarget.checked ? '1' : undefined })} /> : null
  return (
    <Page title="Alerts" lead="What rules found in the log and on the clock. An alert stays open until somebody says what came of it." actions={actions}>
      <Tabs value={tab} onChange={go} keepMounted={false}>
        <Tabs.List>
          {tabs.map((one) => <Tabs.Tab key={one.value} value={one.value}>{one.label}</Tabs.Tab>)}
        </Tabs.List>
        <Tabs.Panel value="alerts" pt="md"><AlertList /></Tabs.Panel>
        <Tabs.Panel value="rules" pt="md"><Rules /></Tabs.Panel>
        <Tabs.Panel value="attempts" pt="md"><Attempts /></Tabs.Panel>
      </Tabs>
    </Page>
  )
}

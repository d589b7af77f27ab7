import { Drawer } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Sentence } from '@/components/Sentence'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import type { AlertId, AlertView } from '@/ipc/generated'
import { alertList } from '@/ipc/queries'
import { count } from '@/lib/format'
import { AlertDetail } from './AlertDetail'
import css from './Alerts.module.css'
import { inOrder } from './order'
import { SeverityMark } from './SeverityMark'

/** The alerts of the tenant and of the whole installation. */
export function AlertList() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const openOnly = address.all !== '1'
  const query = useQuery(alertList(tenant.id, openOnly))
  const columns = useMemo(() => columnsWith(), [])
  return (
    <>
      <Loaded query={query}>
        {(alerts) => (
          <DataTable
            label="Alerts"
            rows={inOrder(alerts)}
            columns={columns}
            rowKey={(alert) => alert.id}
            onOpen={(alert) => set({ alert: alert.id })}
            openKey={address.alert}
            empty={
              <Empty title={openOnly ? 'Nothing is open' : 'No alert yet'} action={<Act onClick={() => set({ tab: 'rules' })}>See the rules</Act>}>
                Repeated failures to sign in, attempts outside an allowlist, credentials that nobody uses and sessions that go on for long appear here, with the events behind them.
              </Empty>
            }
          />
        )}
      </Loaded>
      <Drawer opened={address.alert !== undefined} onClose={() => set({ alert: undefined })} title="Alert" size={520}>
        {address.alert === undefined ? null : <AlertDetail id={address.alert as AlertId} key={address.alert} />}
      </Drawer>
    </>
  )
}

const columnsWith = (): Column<AlertView>[] => [
  { id: 'severity', title: 'State', width: 130, cell: (alert) => <SeverityMark alert={alert} /> },
  { id: 'what', title: 'What', cell: (alert) => <What alert={alert} /> },
  { id: 'class', title: 'Class', width: 70, cell: (alert) => <span className="mono small">{alert.class}</span> },
  { id: 'count', title: 'Times', width: 70, align: 'end', cell: (alert) => count(alert.count) },
  { id: 'last', title: 'Last', width: 110, cell: (alert) => <Time at={alert.last} /> },
]

function What({ alert }: { alert: AlertView }) {
  return (
    <div className={css.what} title={alert.sentence.replaceAll('`', '')}>
      <b>{alert.title}</b>
      <span className={`dim small ${css.clamp}`}><Sentence text={alert.sentence} /></span>
    </div>
  )
}

import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useAddress } from '@/components/address'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Page } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import type { ApprovalRow, ApprovalState } from '@/ipc/generated'
import { approvalList } from '@/ipc/queries'
import { ApprovalInbox } from './ApprovalInbox'
import { Figures } from './Figures'
import { RunningSeries } from './RunningSeries'
import { Week } from './Week'
import { orderOf } from './calm-order'

const leads = {
  waiting: 'Each of these calls is held until you sign or deny it.',
  decided: 'What was decided, and what came of it.',
  figures: 'What people said, and how long they took.',
}
const decided: ApprovalState[] = ['approved', 'denied', 'expired', 'executed', 'unknown', 'withdrawn']

/** The calls that wait for a person, and those that were decided. */
export function ApprovalsPage() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const past = address.state === 'decided'
  const figures = address.state === 'figures'
  const everywhere = address.everywhere === '1'
  const query = useQuery(approvalList(everywhere ? undefined : tenant.id, past ? decided : ['pending']))
  return (
    <Page
      fill
      title="Approvals"
      lead={leads[figures ? 'figures' : past ? 'decided' : 'waiting']}
      actions={
        <>
          <SegmentedControl size="xs" aria-label="Tenants" transitionDuration={0} value={everywhere ? 'all' : 'one'} onChange={(value) => set({ everywhere: value === 'all' ? '1' : undefined })}
            data={[{ value: 'one', label: tenant.name }, { value: 'all', label: 'All tenants' }]} />
          <SegmentedControl size="xs" aria-label="Which" transitionDuration={0} value={figures ? 'figures' : past ? 'decided' : 'waiting'} onChange={(value) => set({ state: value === 'waiting' ? undefined : value, approval: undefined })}
            data={[{ value: 'waiting', label: 'Waiting' }, { value: 'decided', label: 'Decided' }, { value: 'figures', label: 'Figures' }]} />
        </>
      }
    >
      {past || figures ? null : <RunningSeries tenant={everywhere ? undefined : tenant.id} waiting={(query.data?.length ?? 0) > 0} />}
      {figures ? <Figures tenant={everywhere ? undefined : tenant.id} /> : <Loaded query={query}>
        {(rows) => (rows.length > 0 ? <Inbox rows={rows} /> : past ? <NothingDecided /> : <Week tenant={everywhere ? undefined : tenant.id} />)}
      </Loaded>}
    </Page>
  )
}

function Inbox({ rows }: { rows: ApprovalRow[] }) {
  const [address, set] = useAddress()
  return <ApprovalInbox rows={rows} open={address.approval} onOpen={(row) => set({ approval: row.id })}
    order={orderOf(address.order)} onOrder={(order) => set({ order: order === 'newest' ? undefined : order })} canDecide={false} />
}

const NothingDecided = () => (
  <div className="panel"><Empty title="Nothing decided yet">What you sign or deny is kept here, with what came of it.</Empty></div>
)

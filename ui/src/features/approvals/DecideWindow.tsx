import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useAddress } from '@/components/address'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Problem } from '@/components/Problem'
import type { ApprovalId, ApprovalRow, TenantId } from '@/ipc/generated'
import { approvalList, approvalShow, status } from '@/ipc/queries'
import { mayDecide } from '@/ipc/windows'
import { ApprovalCard } from './ApprovalCard'
import { ApprovalInbox } from './ApprovalInbox'
import css from './Approvals.module.css'
import { DecideFrame } from './DecideFrame'
import { orderOf } from './calm-order'

/** The approval window: the waiting calls, and the right to decide on them. */
export function DecideWindow() {
  const query = useQuery(status())
  useEffect(() => {
    document.title = 'Countersign: approvals'
  }, [])
  return (
    <Loaded query={query}>
      {(now) => (
        <DecideFrame status={now}>
          <Decide />
        </DecideFrame>
      )}
    </Loaded>
  )
}

function Decide() {
  const [address, set] = useAddress()
  const waiting = useQuery(approvalList(undefined, ['pending']))
  return (
    <Loaded query={waiting}>
      {(rows) => {
        const asked = address.approval
        const settled = asked !== undefined && !rows.some((row) => row.id === asked)
        if (settled && address.tenant) {
          return (
            <Settled tenant={address.tenant as TenantId} approval={asked as ApprovalId}
              next={rows[0] ? () => set({ approval: rows[0]?.id, tenant: rows[0]?.tenant }) : null} waiting={rows.length} />
          )
        }
        if (rows.length === 0) return <Empty title="Nothing waits for you">You can close this window. It opens again when an agent asks.</Empty>
        // The first call is put into the address, so that it stays in sight once it is decided.
        if (asked === undefined) return <Pin row={rows[0]} onPin={(row) => set({ approval: row.id, tenant: row.tenant })} />
        return <ApprovalInbox rows={rows} open={asked} onOpen={(row: ApprovalRow) => set({ approval: row.id, tenant: row.tenant })}
          order={orderOf(address.order)} onOrder={(order) => set({ order: order === 'newest' ? undefined : order })} canDecide={mayDecide()} />
      }}
    </Loaded>
  )
}

function Pin({ row, onPin }: { row: ApprovalRow | undefined; onPin: (row: ApprovalRow) => void }) {
  useEffect(() => {
    if (row) onPin(row)
  })
  return null
}

type SettledProps = { tenant: TenantId; approval: ApprovalId; next: (() => void) | null; waiting: number }

// The call that was opened is decided, here or elsewhere: it stays in sight with what came of it.
function Settled({ tenant, approval, next, waiting }: SettledProps) {
  const query = useQuery(approvalShow(tenant, approval))
  return (
    <div className={css.settled}>
      {next ? (
        <button type="button" className={css.next} onClick={next}>
          {waiting === 1 ? 'One call waits' : `${waiting} calls wait`}: go to the next
        </button>
      ) : (
        <p className="dim">Nothing else waits. You can close this window.</p>
      )}
      {query.error ? <Problem error={query.error} /> : null}
      {query.data ? <ApprovalCard view={query.data} canDecide={mayDecide()} /> : null}
    </div>
  )
}

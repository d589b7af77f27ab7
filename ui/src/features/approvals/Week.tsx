import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { useTenant } from '@/components/tenant'
import type { TenantId } from '@/ipc/generated'
import { approvalStats } from '@/ipc/queries'
import css from './Approvals.module.css'
import { Figures } from './Figures'

/** Nothing waits: how it went lately, where anything did. */
export function Week({ tenant }: { tenant: TenantId | undefined }) {
  const here = useTenant()
  const query = useQuery(approvalStats(tenant, 'tool', 30))
  return (
    <Loaded query={query}>
      {(stats) => (
        <div className={css.week}>
          <div className="panel">
            <Empty title="Nothing waits for you" action={stats.all.asked === 0 ? <Link to="/t/$tenant/matrix" params={{ tenant: here.name }}>Set a grant to Token</Link> : null}>
              {stats.all.asked === 0
                ? 'When an agent calls a tool whose grant is Token, the call is held and appears here until you sign or deny it.'
                : 'Calls that need a signature appear here.'}
            </Empty>
          </div>
          {stats.all.asked > 0 ? <Figures tenant={tenant} /> : null}
        </div>
      )}
    </Loaded>
  )
}

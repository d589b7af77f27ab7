import { useQuery } from '@tanstack/react-query'
import { Navigate, Outlet, useParams } from '@tanstack/react-router'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Page } from '@/components/Page'
import { TenantProvider } from '@/components/tenant'
import { approvalList, tenantList } from '@/ipc/queries'
import { useLastTenant } from './last-tenant'

/** The beginning: the tenant that was looked at last, or the page of tenants when there is none. */
export function HomePage() {
  const tenants = useQuery(tenantList())
  const [last] = useLastTenant()
  return (
    <Loaded query={tenants}>
      {(all) => {
        const first = all.find((tenant) => tenant.name === last) ?? all[0]
        return first ? (
          <Navigate to="/t/$tenant/overview" params={{ tenant: first.name }} replace />
        ) : (
          <Navigate to="/tenants" replace />
        )
      }}
    </Loaded>
  )
}

/** What waits: of the tenant that was looked at last, unless calls wait elsewhere alone. */
export function InboxPage() {
  const tenants = useQuery(tenantList())
  const waiting = useQuery(approvalList(undefined, ['pending']))
  const [last] = useLastTenant()
  return (
    <Loaded query={tenants}>
      {(all) => (
        <Loaded query={waiting}>
          {(rows) => {
            const known = all.find((tenant) => tenant.name === last)
            const asked = all.filter((tenant) => rows.some((row) => row.tenant === tenant.id))
            const found = (known && asked.includes(known) ? known : asked[0]) ?? known ?? all[0]
            return found ? (
              <Navigate to="/t/$tenant/approvals" params={{ tenant: found.name }} replace />
            ) : (
              <Navigate to="/tenants" replace />
            )
          }}
        </Loaded>
      )}
    </Loaded>
  )
}

/** Everything that belongs to one tenant. */
export function TenantFrame() {
  const { tenant: name } = useParams({ from: '/frame/t/$tenant' })
  const tenants = useQuery(tenantList())
  return (
    <Loaded query={tenants}>
      {(all) => {
        const tenant = all.find((one) => one.name === name)
        if (!tenant) {
          return (
            <Page title="No such tenant">
              <Empty title="This tenant is not here">It may have been removed. Choose another one at the top.</Empty>
            </Page>
          )
        }
        return (
          <TenantProvider value={tenant} key={tenant.id}>
            <Outlet />
          </TenantProvider>
        )
      }}
    </Loaded>
  )
}

export function NotFound() {
  return (
    <Page title="Nothing here">
      <Empty title="This address leads nowhere" action={<a href="#/">Go to the overview</a>}>
        The link may be old.
      </Empty>
    </Page>
  )
}

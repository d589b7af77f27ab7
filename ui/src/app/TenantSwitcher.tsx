import { Menu } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useLocation, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect } from 'react'
import { IconBuilding, IconChevronDown } from '@/components/icons'
import { tenantList } from '@/ipc/queries'
import { useCurrentTenant, useLastTenant } from './last-tenant'
import css from './TenantSwitcher.module.css'

/** Which tenant the pages are about. Switching stays on the same page. */
export function TenantSwitcher() {
  const { tenant } = useParams({ strict: false })
  const { pathname } = useLocation()
  const navigate = useNavigate()
  const tenants = useQuery(tenantList())
  const [, remember] = useLastTenant()
  useEffect(() => {
    if (tenant) remember(tenant)
  }, [tenant, remember])

  const page = pathname.split('/')[3] ?? 'overview'
  const current = useCurrentTenant()
  return (
    <Menu position="bottom-start" width={220} transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <button type="button" className={css.button} aria-label={`${current ?? 'No tenant'}: switch tenant`}>
          <IconBuilding size={15} stroke={1.7} />
          <span className="ellipsis">{current ?? 'No tenant'}</span>
          <IconChevronDown size={14} />
        </button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        <Menu.Label>Tenant</Menu.Label>
        {tenants.data?.map((one) => (
          <Menu.Item
            key={one.id}
            onClick={() => void navigate({ to: `/t/${one.name}/${page}` as '/' })}
            rightSection={one.standing === 'suspended' ? <span className="dim small">suspended</span> : null}
          >
            {one.name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => void navigate({ to: '/tenants' })}>All tenants</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

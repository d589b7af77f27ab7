/** Which tenant was looked at last, so that the console opens there again. A name, no secret. */
import { useLocalStorage } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { tenantList } from '@/ipc/queries'

export const useLastTenant = () =>
  useLocalStorage<string>({ key: 'countersign-last-tenant', defaultValue: '', getInitialValueInEffect: false })

/** The tenant of the page; beside all tenants the last one that is still there, or the first. */
export function useCurrentTenant(): string | undefined {
  const { tenant } = useParams({ strict: false })
  const tenants = useQuery(tenantList())
  const [last] = useLastTenant()
  return tenant ?? (tenants.data?.find((one) => one.name === last) ?? tenants.data?.[0])?.name
}

import { createContext, useContext } from 'react'
import type { TenantView } from '@/ipc/generated'

const Context = createContext<TenantView | null>(null)
export const TenantProvider = Context.Provider

/** The tenant that the page is about. */
export function useTenant(): TenantView {
  const tenant = useContext(Context)
  if (!tenant) throw new Error('a tenant page stands outside of a tenant')
  return tenant
}

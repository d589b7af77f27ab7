/** The filters of a page, kept in the address: back works, and a view can be linked. */
import { useNavigate, useSearch } from '@tanstack/react-router'

export type Address = Record<string, string | undefined>

export function useAddress(): [address: Address, set: (patch: Address, push?: boolean) => void] {
  const address = useSearch({ strict: false }) as Address
  const navigate = useNavigate()
  const set = (patch: Address, push = false) => {
    const next = Object.fromEntries(
      Object.entries({ ...address, ...patch }).filter(([, value]) => value !== undefined && value !== ''),
    )
    void navigate({ to: '.', search: next as never, replace: !push })
  }
  return [address, set]
}

import { Loader } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import { Problem } from './Problem'
import css from './Loaded.module.css'

/** Shows what a query answered; until then that it is on its way; if it failed, why. */
export function Loaded<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.error) return <Problem error={query.error} again={() => void query.refetch()} />
  return <Waiting />
}

/** Says that something is on its way, but not before it would be missed. */
export function Waiting({ what = 'Loading' }: { what?: string }) {
  const [shown, show] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => show(true), 250)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div className={css.waiting} role="status" data-waiting>
      {shown ? (
        <>
          <Loader size="xs" /> {what}
        </>
      ) : null}
    </div>
  )
}

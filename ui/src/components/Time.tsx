import { useEffect, useState } from 'react'
import type { Timestamp } from '@/ipc/generated'
import { exactUtc, relative } from '@/lib/format'

/** The time now, asked again every so often. */
export function useNow(everyMs = 10_000): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

/** A moment, relative to now; the exact one on hover. */
export function Time({ at, never = 'never' }: { at: Timestamp | null; never?: string }) {
  const now = useNow()
  if (at === null) return <span className="dim">{never}</span>
  return (
    <time dateTime={at} title={exactUtc(at)} className="nowrap">
      {relative(at, now)}
    </time>
  )
}

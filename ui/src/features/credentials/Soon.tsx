import { Time, useNow } from '@/components/Time'
import type { Timestamp } from '@/ipc/generated'
import { exactUtc } from '@/lib/format'

/** The housekeeper looks once a minute. */
const LOOK_MS = 60_000

/** When something happens by itself: what is due already happens with the next look. */
export function Soon({ at }: { at: Timestamp }) {
  const now = useNow()
  if (Date.parse(at) > now + LOOK_MS) return <Time at={at} />
  return <time dateTime={at} title={exactUtc(at)} className="nowrap">now</time>
}

import { Time, useNow } from '@/components/Time'
import type { SessionState, SessionView } from '@/ipc/generated'
import { exactDuration, exactUtc } from '@/lib/format'

// A record, so that a new state does not compile until it has a word.
export const stateWord: Record<SessionState, string> = {
  live: 'Live', client: 'Ended by the client', credential: 'Credential withdrawn', expired: 'Expired', operator: 'Ended by an operator',
}

/** How much time is left, by the second; when it ended where it is over. */
export function SessionEnds({ session }: { session: SessionView }) {
  const now = useNow(1_000)
  if (session.state !== 'live') return <span>ended <Time at={session.ended ?? session.ends} /></span>
  const left = Math.max(0, Math.ceil((Date.parse(session.ends) - now) / 1000))
  return <time dateTime={session.ends} title={`Until ${exactUtc(session.ends)}`} className="nowrap" style={{ fontVariantNumeric: 'tabular-nums' }}>{left === 0 ? 'time is up' : exactDuration(left)}</time>
}

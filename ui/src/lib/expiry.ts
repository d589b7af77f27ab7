import type { Timestamp } from '@/ipc/generated'

const MOST_MS = 3 * 86_400_000

/** Whether it is time to renew: the last quarter of its life has begun, or, of a long one, its last three days. */
export function expiresSoon({ created, expires }: { created: Timestamp; expires: Timestamp }, now: number): boolean {
  const end = Date.parse(expires)
  return end > now && end - now < Math.min((end - Date.parse(created)) / 4, MOST_MS)
}

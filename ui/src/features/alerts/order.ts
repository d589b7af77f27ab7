import type { AlertView } from '@/ipc/generated'

/** Open ones first, among them those that need somebody now, then the latest. */
export function inOrder(alerts: readonly AlertView[]): AlertView[] {
  const rank = (alert: AlertView) => (alert.state === 'acknowledged' ? 2 : alert.severity === 'incident' ? 0 : 1)
  return [...alerts].sort((one, other) => rank(one) - rank(other) || other.last.localeCompare(one.last))
}

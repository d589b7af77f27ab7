import { Mark } from '@/components/Mark'
import type { AlertView } from '@/ipc/generated'

/** How much an alert asks of people. Only what needs somebody now is red, and only until somebody has looked. */
export function SeverityMark({ alert }: { alert: AlertView }) {
  if (alert.state === 'acknowledged') return <Mark tone="plain">Acknowledged</Mark>
  return alert.severity === 'incident' ? <Mark tone="bad">Incident</Mark> : <Mark tone="care">Alert</Mark>
}

/** What came of a call that was sent. */
import type { Outcome } from '@/ipc/generated'

// A record, so that a new outcome does not compile until it has its words.
export const outcomeWord: Record<Outcome, string> = {
  answered: 'The server answered',
  failed: 'The server could not be reached, or its answer was refused',
  unknown: 'Unknown: it was sent, but no answer came',
}

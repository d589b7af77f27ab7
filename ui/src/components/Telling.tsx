import { telling } from '@/lib/telling'
import { Mark } from './Mark'

/** What ought to be looked at twice in what a server says of something. Nothing where there is nothing. */
export function Telling({ text }: { text: string }) {
  const found = telling(text)
  if (found.length === 0) return null
  return <Mark tone="care" title="An agent reads this text and may do as it says. Read it to its end before you take this in.">Read closely: it {found.join(', ')}</Mark>
}

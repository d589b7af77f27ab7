import { Mark, type Tone } from '@/components/Mark'
import type { ApprovalState } from '@/ipc/generated'

const word: Record<ApprovalState, string> = {
  approved: 'Approved', denied: 'Denied', expired: 'Nobody decided', executed: 'Executed',
  pending: 'Waiting', unknown: 'Outcome unknown', withdrawn: 'Taken back',
}
const tone: Record<ApprovalState, Tone> = {
  approved: 'good', denied: 'plain', expired: 'plain', executed: 'good', pending: 'care', unknown: 'care', withdrawn: 'plain',
}

export const StateMark = ({ state }: { state: ApprovalState }) => <Mark tone={tone[state]}>{word[state]}</Mark>

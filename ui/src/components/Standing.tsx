import type { Standing } from '@/ipc/generated'
import { Mark } from './Mark'

const word: Record<Standing, string> = { active: 'Active', suspended: 'Suspended' }

export const StandingMark = ({ standing }: { standing: Standing }) => (
  <Mark tone={standing === 'active' ? 'good' : 'care'}>{word[standing]}</Mark>
)

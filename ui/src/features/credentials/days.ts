/** The next 90 days, day by day. */
import type { CalendarView, CalendarWhat } from '@/ipc/generated'
import { whats } from './words'

const DAY_MS = 86_400_000

export type Day = {
  /** `2026-11-22`, in UTC. */
  date: string
  /** Monday is 0. */
  weekday: number
  events: CalendarView[]
}

/** Every day from today on, with what happens on it. */
export function daysOf(events: CalendarView[], now: number, many = 91): Day[] {
  const first = Math.floor(now / DAY_MS)
  const days = Array.from({ length: many }, (_, at): Day => {
    const day = first + at
    // The first of January 1970 was a Thursday.
    return { date: new Date(day * DAY_MS).toISOString().slice(0, 10), weekday: (day + 3) % 7, events: [] }
  })
  for (const event of events) days[Math.max(0, Math.floor(Date.parse(event.at) / DAY_MS) - first)]?.events.push(event)
  return days
}

/** The same in weeks that begin on Monday; what lies outside is left blank. */
export function weeksOf(days: Day[]): (Day | null)[][] {
  const blank = days[0]?.weekday ?? 0
  const cells = [...Array.from({ length: blank }, () => null), ...days]
  return Array.from({ length: Math.ceil(cells.length / 7) }, (_, at) => {
    const week = cells.slice(at * 7, at * 7 + 7)
    return [...week, ...Array.from({ length: 7 - week.length }, () => null)]
  })
}

export const countsOf = (events: CalendarView[]): [CalendarWhat, number][] =>
  whats.map((what): [CalendarWhat, number] => [what, events.filter((event) => event.what === what).length]).filter(([, many]) => many > 0)

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
export const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
export const monthOf = (date: string) => months[Number(date.slice(5, 7)) - 1] ?? ''
export const dayTitle = ({ date, weekday }: Day) => `${weekdays[weekday]} ${Number(date.slice(8))} ${monthOf(date)}`

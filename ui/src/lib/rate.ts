import type { Rate } from '@/ipc/generated'

export type Unit = 'second' | 'minute' | 'hour' | 'day'

export const unitSecs: Record<Unit, number> = { second: 1, minute: 60, hour: 3_600, day: 86_400 }
const MOST_CALLS = 100_000

/** The largest unit in which a time is a whole number. */
function inUnits(secs: number): [count: number, unit: Unit] {
  const fits = (['day', 'hour', 'minute'] as const).find((unit) => secs % unitSecs[unit] === 0)
  return fits ? [secs / unitSecs[fits], fits] : [secs, 'second']
}

/** How often, in words: `60 calls per minute`. */
export function rateText({ calls, secs }: Rate): string {
  const [count, unit] = inUnits(secs)
  return `${calls.toLocaleString('en')} ${calls === 1 ? 'call' : 'calls'} ${count === 1 ? `per ${unit}` : `in ${count} ${unit}s`}`
}

export type RateFields = { calls: string; time: string; unit: Unit }

export function fieldsOf(rate: Rate | null): RateFields {
  if (!rate) return { calls: '60', time: '1', unit: 'minute' }
  const [count, unit] = inUnits(rate.secs)
  return { calls: String(rate.calls), time: String(count), unit }
}

/** What is wrong with the fields, or the limit that they say. */
export function readRate({ calls, time, unit }: RateFields): Rate | string {
  const secs = Number(time) * unitSecs[unit]
  if (!/^\d+$/.test(calls.trim()) || Number(calls) < 1 || Number(calls) > MOST_CALLS) return `Between 1 and ${MOST_CALLS.toLocaleString('en')} calls`
  if (!/^\d+$/.test(time.trim()) || secs < 1 || secs > unitSecs.day) return 'Between a second and a day'
  return { calls: Number(calls), secs }
}

import type { Timestamp } from '@/ipc/generated'

const STEPS: readonly (readonly [limit: number, unit: number, name: string])[] = [
  [60, 1, 's'],
  [3_600, 60, 'min'],
  [86_400, 3_600, 'h'],
  [Number.POSITIVE_INFINITY, 86_400, 'd'],
]

/** A length of time in one unit: `45 s`, `12 min`, `3 h`, `8 d`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [, unit, name] = STEPS.find(([limit]) => whole < limit) ?? [0, 86_400, 'd']
  return `${Math.floor(whole / unit)} ${name}`
}

/** A length of time in two units, where the second matters: `1 h 30 min`. */
export function exactDuration(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'min'],
    [Math.floor(seconds % 60), 's'],
  ]
  const shown = parts.filter(([count]) => count > 0).slice(0, 2)
  return shown.length === 0 ? '0 s' : shown.map(([count, unit]) => `${count} ${unit}`).join(' ')
}

/** How far away a moment is: `12 min ago`, `in 3 h`, `just now`. */
export function relative(at: Timestamp, now: number): string {
  const seconds = (Date.parse(at) - now) / 1000
  if (Math.abs(seconds) < 5) return 'just now'
  return seconds < 0 ? `${duration(-seconds)} ago` : `in ${duration(seconds)}`
}

/** The exact moment, in UTC, as evidence has it. */
export const exactUtc = (at: Timestamp) => `${at.slice(0, 10)} ${at.slice(11, 23).replace('Z', '')} UTC`

/** The clock time in UTC with seconds. */
export const clockUtc = (at: Timestamp) => at.slice(11, 19)

const number = new Intl.NumberFormat('en-GB')
export const count = (value: number) => number.format(value).replaceAll(',', '\u202f')

export const plural = (value: number, one: string, many = `${one}s`) =>
  `${count(value)} ${value === 1 ? one : many}`

export function bytes(value: number): string {
  if (value < 1024) return plural(value, 'byte')
  return value < 1024 * 1024 ? `${(value / 1024).toFixed(1)} KiB` : `${(value / 1024 / 1024).toFixed(1)} MiB`
}

/** The part of an id that tells it from its neighbours. */
export const shortId = (id: string) => (id.length > 16 ? `${id.slice(0, 4)}${id.slice(-8)}` : id)

/** How many characters a text has, as a person counts them. */
export const characters = (text: string) => [...text].length

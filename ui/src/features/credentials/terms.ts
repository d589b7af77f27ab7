/** How long credentials live: what the fields say, judged as the core judges it. */
import type { Lifecycle, LifecycleView } from '@/ipc/generated'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export type Term = keyof Required<Lifecycle>
export type Draft = Record<Term, string>

type About = { title: string; hint: string; least: number; most: number }

/** In the order in which they are shown. */
export const terms: Record<Term, About> = {
  lifetime_secs: { title: 'Lasts at most', hint: 'And as long as that where nobody asks for another time', least: 5 * MINUTE, most: 90 * DAY },
  rotate_secs: { title: 'Is replaced after', hint: 'At the latest; two thirds of its life are the latest in any case', least: MINUTE, most: 90 * DAY },
  overlap_secs: { title: 'Goes on beside its successor for', hint: 'From the first use of the new one; 0 is none', least: 0, most: 7 * DAY },
  alert_unused_secs: { title: 'Is an alert when never used for', hint: 'From its issue', least: HOUR, most: 15 * DAY },
  revoke_unused_secs: { title: 'Is revoked when unused for', hint: 'From its last use, or from its issue', least: HOUR, most: 30 * DAY },
}
export const order = Object.keys(terms) as Term[]

const units: Record<string, number> = { s: 1, sec: 1, min: MINUTE, m: MINUTE, h: HOUR, d: DAY }

/** `90 d`, `72h`, `30 min`, `0`; nothing where it is no length of time. */
export function readSpan(text: string): number | undefined {
  const found = /^(\d{1,9})\s*([a-z]*)$/.exec(text.trim().toLowerCase())
  if (!found) return undefined
  if (found[2] === '') return Number(found[1]) === 0 ? 0 : undefined
  const unit = units[found[2] ?? '']
  return unit === undefined ? undefined : Number(found[1]) * unit
}

/** In the largest unit that fits evenly. */
export function spanText(secs: number): string {
  for (const [unit, name] of [[DAY, 'd'], [HOUR, 'h'], [MINUTE, 'min']] as const) if (secs >= unit && secs % unit === 0) return `${secs / unit} ${name}`
  return `${secs} s`
}

export const draftOf = (set: Lifecycle): Draft => Object.fromEntries(order.map((term) => [term, set[term] === undefined ? '' : spanText(set[term])])) as Draft

/** What the fields say. A field that is empty says nothing. */
export function lifecycleOf(draft: Draft): Lifecycle {
  return Object.fromEntries(order.flatMap((term) => {
    const secs = readSpan(draft[term])
    return secs === undefined ? [] : [[term, secs]]
  }))
}

/** What is in force where this is said. */
export function inForce(set: Lifecycle): LifecycleView {
  const usual = set.lifetime_secs ?? 3 * DAY
  const revoke = set.revoke_unused_secs ?? 30 * DAY
  return {
    set, usual_secs: usual, longest_secs: set.lifetime_secs ?? 90 * DAY, rotate_secs: Math.min(Math.floor((usual * 2) / 3), set.rotate_secs ?? 90 * DAY),
    overlap_secs: set.overlap_secs ?? Math.min(DAY, Math.floor(usual / 3)), alert_unused_secs: set.alert_unused_secs ?? Math.min(15 * DAY, revoke), revoke_unused_secs: revoke,
  }
}

/** What is wrong with each field. */
export function problemsOf(draft: Draft): Partial<Record<Term, string>> {
  const wrong: Partial<Record<Term, string>> = {}
  for (const term of order) {
    const { least, most } = terms[term]
    if (draft[term].trim() === '') continue
    const secs = readSpan(draft[term])
    if (secs === undefined) wrong[term] = 'A number with s, min, h or d, such as 72 h'
    else if (secs < least || secs > most) wrong[term] = `Between ${least === 0 ? '0' : spanText(least)} and ${spanText(most)}`
  }
  if (Object.keys(wrong).length > 0) return wrong
  const set = lifecycleOf(draft)
  const force = inForce(set)
  if (set.rotate_secs !== undefined && set.rotate_secs >= force.longest_secs) wrong.rotate_secs = 'Before the end of its life'
  if (force.overlap_secs >= force.usual_secs) wrong.overlap_secs = 'Shorter than its life'
  if (force.alert_unused_secs > force.revoke_unused_secs) wrong.alert_unused_secs = 'Not after it is revoked'
  return wrong
}

/** Whether anything may live longer by it than by what was said before. */
export function isLooser(next: Lifecycle, before: Lifecycle): boolean {
  const numbers = (set: Lifecycle) => {
    const force = inForce(set)
    return [force.usual_secs, force.longest_secs, set.rotate_secs ?? Number.POSITIVE_INFINITY, force.overlap_secs, force.alert_unused_secs, force.revoke_unused_secs]
  }
  const was = numbers(before)
  return numbers(next).some((one, at) => one > (was[at] ?? 0))
}

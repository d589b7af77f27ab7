import { expect, test } from 'vitest'
import type { CalendarView, CredentialRow, Timestamp } from '@/ipc/generated'
import { ageOf, roughly } from './age'
import { countsOf, daysOf, dayTitle, weeksOf } from './days'
import { wantedOf } from './Inventory'
import { inForce, isLooser, lifecycleOf, problemsOf, readSpan, spanText, type Draft } from './terms'

const HOUR = 3_600_000
const at = (hours: number) => new Date(hours * HOUR).toISOString() as Timestamp
const row = (life: number, more: object = {}, stage = 'active') => ({ stage, credential: { created: at(0), expires: at(life), ...more } }) as unknown as CredentialRow

test('a bar ends where the credential does, and marks where another one takes its place', () => {
  expect(ageOf(row(72, { rotates: at(48) }), 36 * HOUR)).toMatchObject({ part: 0.5, turn: 48 / 72, lived: 36 * 3_600, life: 72 * 3_600, isLate: false, isOver: false })
  expect(ageOf(row(72, { overlap_ends: at(48) }, 'overlapping'), 36 * HOUR)).toMatchObject({ part: 0.75, turn: null, isLate: true })
  expect(ageOf(row(72, {}, 'expired'), 99 * HOUR)).toMatchObject({ part: 1, lived: 72 * 3_600, isOver: true })
  expect(ageOf(row(72), -5 * HOUR)).toMatchObject({ part: 0, lived: 0 })
  expect([roughly(72 * 3_600)(50 * 3_600), roughly(90 * 86_400)(86_400 * 20.4), roughly(3_600)(90)]).toEqual(['50 h', '20 d', '2 min'])
})

test('days are those of UTC, from today on, in weeks that begin on Monday', () => {
  const now = Date.parse('2026-11-22T23:59:30.000Z')
  const on = (time: string, what = 'expires') => ({ at: time, what, credential: time, key_id: 'k', agent: 'a', agent_name: 'a' }) as unknown as CalendarView
  const days = daysOf([on('2026-11-22T23:59:29.000Z'), on('2026-11-23T00:00:00.000Z', 'rotates'), on('2026-11-23T23:59:59.999Z'), on('2027-02-20T10:00:00.000Z'), on('2028-01-01T00:00:00.000Z')], now)
  expect(days.length).toBe(91)
  expect([days[0]?.date, days[0]?.weekday, days[0]?.events.length]).toEqual(['2026-11-22', 6, 1])
  expect(days[1] && dayTitle(days[1])).toBe('Mon 23 November')
  expect(countsOf(days[1]?.events ?? [])).toEqual([['rotates', 1], ['expires', 1]])
  expect(days.at(-1)?.date).toBe('2027-02-20')
  expect(days.flatMap((day) => day.events).length).toBe(4)
  const weeks = weeksOf(days)
  expect(weeks.every((week) => week.length === 7)).toBe(true)
  expect(weeks[0]?.filter(Boolean).length).toBe(1)
  expect(weeks[1]?.[0]?.date).toBe('2026-11-23')
  // What was due before now happens today.
  expect(daysOf([on('2026-11-20T00:00:00.000Z')], now)[0]?.events.length).toBe(1)
})

test('lengths of time are read as the command line reads them', () => {
  expect([readSpan('72h'), readSpan(' 90 d '), readSpan('30 MIN'), readSpan('0'), readSpan('15s')]).toEqual([259_200, 7_776_000, 1_800, 0, 15])
  for (const wrong of ['', '72', 'h', '1.5 h', '-1 d', '3 weeks', '1d 2h']) expect(readSpan(wrong), wrong).toBeUndefined()
  expect([spanText(259_200), spanText(7_200), spanText(90), spanText(1_800)]).toEqual(['3 d', '2 h', '90 s', '30 min'])
})

const draft = (more: Partial<Draft> = {}): Draft => ({ lifetime_secs: '', rotate_secs: '', overlap_secs: '', alert_unused_secs: '', revoke_unused_secs: '', ...more })
const DAY = 86_400

test('how long credentials live is judged as the core judges it', () => {
  expect(problemsOf(draft())).toEqual({})
  expect(inForce({})).toMatchObject({ usual_secs: 3 * DAY, longest_secs: 90 * DAY, rotate_secs: 2 * DAY, overlap_secs: DAY, alert_unused_secs: 15 * DAY, revoke_unused_secs: 30 * DAY })
  const wrong: [Partial<Draft>, keyof Draft][] = [
    [{ lifetime_secs: '91 d' }, 'lifetime_secs'], [{ lifetime_secs: '4 min' }, 'lifetime_secs'], [{ overlap_secs: '8 d' }, 'overlap_secs'], [{ overlap_secs: '3 d' }, 'overlap_secs'], [{ rotate_secs: '90 d' }, 'rotate_secs'],
    [{ alert_unused_secs: '16 d' }, 'alert_unused_secs'], [{ revoke_unused_secs: '31 d' }, 'revoke_unused_secs'], [{ revoke_unused_secs: '1 d', alert_unused_secs: '2 d' }, 'alert_unused_secs'], [{ lifetime_secs: 'soon' }, 'lifetime_secs'],
  ]
  for (const [more, field] of wrong) expect(Object.keys(problemsOf(draft(more))), JSON.stringify(more)).toEqual([field])
  expect(problemsOf(draft({ lifetime_secs: '2 h', overlap_secs: '10 min' }))).toEqual({})
  expect(lifecycleOf(draft({ lifetime_secs: '2 h', overlap_secs: '0' }))).toEqual({ lifetime_secs: 7_200, overlap_secs: 0 })
})

test('only what lets something live longer is looser', () => {
  expect(isLooser({ lifetime_secs: DAY }, {})).toBe(false)
  expect(isLooser({}, { lifetime_secs: DAY })).toBe(true)
  expect(isLooser({ rotate_secs: DAY }, {})).toBe(false)
  expect(isLooser({}, { rotate_secs: DAY })).toBe(true)
  expect(isLooser({ overlap_secs: 2 * DAY }, {})).toBe(true)
  expect(isLooser({ lifetime_secs: 30 * DAY }, {})).toBe(true)
  expect(isLooser({}, {})).toBe(false)
})

test('what an address does not say, or says wrongly, does not narrow', () => {
  expect(wantedOf({})).toEqual({ filter: {}, order: 'next', reversed: false })
  expect(wantedOf({ stage: 'expiring', kind: 'api_key', q: ' reader ', sort: 'used', dir: 'desc', agent: 'agt_1' })).toEqual({ filter: { stage: 'expiring', kind: 'api_key', text: 'reader', agent: 'agt_1' }, order: 'used', reversed: true })
  expect(wantedOf({ stage: 'gone', kind: 'paper', q: '  ', sort: 'name' })).toEqual({ filter: {}, order: 'next', reversed: false })
})

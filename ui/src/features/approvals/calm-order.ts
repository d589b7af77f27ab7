import { useState } from 'react'
import type { ApprovalRow } from '@/ipc/generated'

export type Order = 'newest' | 'ends'

export const orderOf = (text: string | undefined): Order => (text === 'ends' ? 'ends' : 'newest')

/** The calls that wait, in the order that a person chose; what was decided comes in its own. */
export function sorted(rows: readonly ApprovalRow[], order: Order): readonly ApprovalRow[] {
  if (!rows.every((row) => row.state === 'pending')) return rows
  const at = (row: ApprovalRow) => (order === 'ends' ? Date.parse(row.expires) : -Date.parse(row.requested))
  return rows.toSorted((one, other) => at(one) - at(other))
}

export type Shown = { row: ApprovalRow; gone: boolean }

/**
 * The order of the list. While the pointer is over it nothing moves: what arrives is put at the
 * end, and what is settled meanwhile keeps its place and says so.
 */
export function calmOrder(before: readonly Shown[], rows: readonly ApprovalRow[], over: boolean): Shown[] {
  if (!over) return rows.map((row) => ({ row, gone: false }))
  const fresh = new Map(rows.map((row) => [row.id, row]))
  const kept = before.map(({ row }) => {
    const now = fresh.get(row.id)
    return now ? { row: now, gone: false } : { row, gone: true }
  })
  const known = new Set(before.map(({ row }) => row.id))
  return [...kept, ...rows.filter((row) => !known.has(row.id)).map((row) => ({ row, gone: false }))]
}

/** The list as it is shown. Another order that a person chooses counts at once. */
export function useCalmOrder(rows: readonly ApprovalRow[], over: boolean, order: Order): Shown[] {
  const [held, setHeld] = useState<{ shown: Shown[]; order: Order }>({ shown: [], order })
  const next = calmOrder(held.shown, sorted(rows, order), over && held.order === order)
  if (held.order === order && same(held.shown, next)) return held.shown
  setHeld({ shown: next, order })
  return next
}

/** Which of the calls is shown: the one that was chosen, or else the one that was, for as long as it waits. */
export function useCalmChoice(shown: readonly Shown[], chosen: string | undefined): ApprovalRow | undefined {
  const [kept, keep] = useState<string>()
  const find = (id: string | undefined) => shown.find((one) => one.row.id === id)?.row
  const now = find(chosen) ?? find(kept) ?? shown[0]?.row
  if (now && now.id !== kept) keep(now.id)
  return now
}

const same = (before: Shown[], after: Shown[]) =>
  before.length === after.length && before.every((one, at) => one.row === after[at]?.row && one.gone === after[at]?.gone)

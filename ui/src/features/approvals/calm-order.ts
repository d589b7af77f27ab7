import { useState } from 'react'
import type { ApprovalRow } from '@/ipc/generated'

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

export function useCalmOrder(rows: readonly ApprovalRow[], over: boolean): Shown[] {
  const [shown, setShown] = useState<Shown[]>([])
  const next = calmOrder(shown, rows, over)
  if (same(shown, next)) return shown
  setShown(next)
  return next
}

const same = (before: Shown[], after: Shown[]) =>
  before.length === after.length && before.every((one, at) => one.row === after[at]?.row && one.gone === after[at]?.gone)

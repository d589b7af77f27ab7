import { memo } from 'react'
import { GrantMark, grantLabel } from '@/components/Grant'
import type { Grant } from '@/ipc/generated'
import css from './Matrix.module.css'
import type { Spot } from './sheet'

type Props = {
  id: string
  tool: number
  role: number
  left: number
  width: number
  grant: Grant
  /** It grants that to some arguments only. */
  conditional: boolean
  /** It was set and is not known to be enforced yet. */
  underway: boolean
  /** Outside of the task that the lens shows. */
  outside: boolean
  selected: boolean
  active: boolean
  onPoint: (spot: Spot, extend: boolean) => void
}

/** One grant. */
export const Cell = memo(function Cell({ id, tool, role, left, width, grant, conditional, underway, outside, selected, active, onPoint }: Props) {
  const spot = { tool, role }
  return (
    // The grid takes the keys; the pointer selects.
    <div
      id={id}
      className={css.cell}
      role="gridcell"
      aria-colindex={role + 2}
      aria-selected={selected}
      aria-label={`${grantLabel[grant]}${conditional ? ', on a condition' : ''}${underway ? ', being enforced' : ''}${outside ? ', outside of the task' : ''}`}
      data-active={active || undefined}
      data-selected={selected || undefined}
      data-underway={underway || undefined}
      data-outside={outside || undefined}
      style={{ left, width }}
      onPointerDown={(event) => event.button === 0 && onPoint(spot, event.shiftKey)}
      onPointerEnter={(event) => event.buttons === 1 && onPoint(spot, true)}
    >
      <GrantMark grant={grant} conditional={conditional} />
    </div>
  )
})

import type { ReactNode } from 'react'
import css from './Mark.module.css'

export type Tone = 'good' | 'care' | 'bad' | 'plain'

/** A state in one word, with a sign beside it: colour never stands alone. */
export function Mark({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string }) {
  return (
    <span className={css.mark} data-tone={tone} title={title}>
      <span className={css.sign} aria-hidden />
      {children}
    </span>
  )
}

import type { ReactNode } from 'react'
import css from './Empty.module.css'

/** An empty place: what belongs here, and the first step. */
export function Empty({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className={css.empty}>
      <h2>{title}</h2>
      <p>{children}</p>
      {action ? <div className={css.action}>{action}</div> : null}
    </div>
  )
}

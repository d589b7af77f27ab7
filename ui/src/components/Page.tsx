import type { ReactNode } from 'react'
import css from './Page.module.css'

type Props = {
  title: string
  /** One line that says what the page is for. */
  lead?: ReactNode
  actions?: ReactNode
  /** The page fills the window and scrolls inside itself. */
  fill?: boolean
  children: ReactNode
}

/** A page: its name, what it is for, what can be done, and its content. */
export function Page({ title, lead, actions, fill = false, children }: Props) {
  return (
    <div className={fill ? css.fill : css.page}>
      <header className={css.head}>
        <div className="grow">
          <h1>{title}</h1>
          {lead ? <p className={css.lead}>{lead}</p> : null}
        </div>
        {actions ? <div className={css.actions}>{actions}</div> : null}
      </header>
      {children}
    </div>
  )
}

/** A titled part of a page. */
export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className={css.section} aria-label={title}>
      <div className="row spread">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}

import type { AttachedView } from '@/ipc/generated'
import { IconAlertTriangle } from './icons'
import css from './Lost.module.css'

/** The gateway elsewhere cannot be reached. It is tried again all the time, and the window goes on by itself. */
export function Lost({ attached }: { attached: AttachedView }) {
  return (
    <main className={css.page}>
      <section className={css.lost} role="alert">
        <h1><IconAlertTriangle size={20} aria-hidden /> No connection to the gateway</h1>
        <p>
          The gateway at <code>{attached.address}</code> does not answer this console, so nothing can be seen or decided here. It goes on without it:
          calls that wait go on waiting, and other consoles can decide on them.
        </p>
        {attached.problem ? <p className="dim">{sentence(attached.problem)}</p> : null}
        <p className="dim small">It is tried again all the time. Unlock again once it is back.</p>
      </section>
    </main>
  )
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`

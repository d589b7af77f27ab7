import { useState, type ReactNode } from 'react'
import { CopyButton } from './Copy'
import css from './Pem.module.css'

type Props = { name: string; what: ReactNode; text: string; secret?: boolean }

/** A file to take away: its name, what it is, and its text, shown when it is asked for. */
export function PemFile({ name, what, text, secret = false }: Props) {
  const [open, setOpen] = useState(false)
  return (
    <div className={css.file} data-secret={secret || undefined}>
      <div className="row">
        <span className="grow">
          <code>{name}</code> <span className="dim small">{what}</span>
        </span>
        <button type="button" className={css.more} aria-expanded={open} aria-label={`${open ? 'Hide' : 'Show'} ${name}`} onClick={() => setOpen(!open)}>{open ? 'Hide' : 'Show'}</button>
        <CopyButton text={text} label={`Copy ${name}`} />
      </div>
      {open ? <pre tabIndex={0} aria-label={name}>{text.trimEnd()}</pre> : null}
    </div>
  )
}

import { Checkbox, Tabs } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import type { ReadyConfiguration } from '@/ipc/generated'
import { Act } from './Act'
import { CopyButton } from './Copy'
import { Dialog } from './Dialog'
import css from './Once.module.css'

type Props = { title: string; /** It shows what is never shown again: only its own button closes it. */ held: boolean; size: number | string; onClose: () => void; children: ReactNode }

/** A dialog that ends with something that is shown once. */
export function OnceDialog({ title, held, size, onClose, children }: Props) {
  return (
    <Dialog onClose={held ? () => undefined : onClose} closeOnClickOutside={!held} closeOnEscape={!held} withCloseButton={!held} title={title} size={size}>
      {children}
    </Dialog>
  )
}

const takeFocus = (shown: HTMLElement | null) => shown?.focus()

/** What was issued, in place of the form that asked for it: it takes the focus, which would be lost with the form. */
export function Issued({ label, children }: { label: string; children: ReactNode }) {
  return <div ref={takeFocus} tabIndex={-1} role="group" aria-label={label} className={`stack ${css.issued}`}>{children}</div>
}

/** Says of what stands below that it is seen this once. */
export function OnlyNow({ children, role }: { children: ReactNode; role?: string }) {
  return <p className={css.once} role={role}>{children}</p>
}

/** What to paste where. */
export function Configurations({ all }: { all: ReadyConfiguration[] }) {
  if (all.length === 0) return null
  // Numbered, not named: a name with a space in it is no id that another element could refer to.
  return (
    <Tabs defaultValue="0" keepMounted={false}>
      <Tabs.List>
        {all.map((one, at) => <Tabs.Tab key={one.title} value={String(at)}>{one.title}</Tabs.Tab>)}
      </Tabs.List>
      {all.map((one, at) => (
        <Tabs.Panel key={one.title} value={String(at)} pt="sm">
          <p className="dim">{one.hint}</p>
          <div className={css.configuration}>
            <pre tabIndex={0} aria-label={one.title}>{one.text}</pre>
            <span className={css.copy}><CopyButton text={one.text} label={`Copy ${one.title}`} /></span>
          </div>
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}

/** One line of what was issued, to copy. */
export function Fact({ title, text, secret = false }: { title: string; text: string; secret?: boolean }) {
  return (
    <>
      <dt>{title}</dt>
      <dd className="row"><code className={secret ? css.secret : css.long}>{text}</code><CopyButton text={text} label={`Copy the ${title.toLowerCase()}`} /></dd>
    </>
  )
}

/** Closes the dialog once somebody has said that the secret is stored; at once where there is none. */
export function Stored({ what, onClose }: { what: string | null; onClose: () => void }) {
  const [kept, setKept] = useState(false)
  return (
    <div className="row spread">
      {what === null ? <span /> : <Checkbox label={`I have stored the ${what}`} checked={kept} onChange={(event) => setKept(event.currentTarget.checked)} />}
      <Act tone="primary" onClick={onClose} disabledReason={what === null || kept ? undefined : `Say first that you have stored the ${what}: it is never shown again`}>Close</Act>
    </div>
  )
}

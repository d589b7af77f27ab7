/** Asks before something is lost. The dialog names what will be lost and who is cut off. */
import { useState, useSyncExternalStore, type ReactNode } from 'react'
import { Act } from './Act'
import { Dialog } from './Dialog'
import { Problem } from './Problem'
import { notTyped, TypedName } from './TypedName'

export type Confirmation = {
  title: string
  /** What will be lost, and who will be cut off. */
  body: ReactNode
  /** The verb on the button. */
  action: string
  /** On the button that does nothing; *Keep* when absent. */
  otherwise?: string
  /** A name that has to be typed first, where nothing brings back what is lost. */
  typed?: string
  run: () => Promise<unknown>
}

let asked: Confirmation | null = null
const listeners = new Set<() => void>()

function set(next: Confirmation | null) {
  asked = next
  for (const listener of listeners) listener()
}

export const confirm = (confirmation: Confirmation) => set(confirmation)

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Stands once in the frame and shows what is asked. */
export function ConfirmDialog() {
  const confirmation = useSyncExternalStore(subscribe, () => asked)
  return confirmation ? <Asking key={confirmation.title} {...confirmation} /> : null
}

function Asking({ title, body, action, otherwise = 'Keep', typed: name, run }: Confirmation) {
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [typed, setTyped] = useState('')
  const proceed = async () => {
    setBusy(true)
    try {
      await run()
      set(null)
    } catch (thrown) {
      setError(thrown)
      setBusy(false)
    }
  }
  return (
    <Dialog onClose={() => set(null)} title={title} size="md">
      <div className="stack">
        <div>{body}</div>
        {name === undefined ? null : <TypedName name={name} typed={typed} onChange={setTyped} autoFocus />}
        {error ? <Problem error={error} /> : null}
        <div className="row spread">
          <Act onClick={() => set(null)} {...(name === undefined && { 'data-autofocus': true })}>
            {otherwise}
          </Act>
          <Act tone="danger" onClick={() => void proceed()} loading={busy} disabledReason={name === undefined ? undefined : notTyped(name, typed)}>
            {action}
          </Act>
        </div>
      </div>
    </Dialog>
  )
}

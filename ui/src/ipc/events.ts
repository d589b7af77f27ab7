/** News from the backend: what changed, so that a screen asks again. */
import { isTauri } from '@tauri-apps/api/core'
import { listen } from '@tauri-apps/api/event'
import type { Change } from './generated'

/** Calls `heard` for every change until the returned function is called. */
export function onChange(heard: (change: Change) => void): () => void {
  if (import.meta.env.MODE === 'mock') return onMockChange(heard)
  return isTauri() ? onTauriChange(heard) : onServerEvent(heard)
}

function onTauriChange(heard: (change: Change) => void): () => void {
  let stopped = false
  let stop: (() => void) | undefined
  listen<Change>('changed', (event) => heard(event.payload)).then(
    (unlisten) => (stopped ? unlisten() : (stop = unlisten)),
    // Without events the screens still ask again by themselves, only later.
    () => undefined,
  )
  return () => {
    stopped = true
    stop?.()
  }
}

/** Calls `asked` whenever keys that are heard anywhere ask for the waiting calls. */
export function onInbox(asked: () => void): () => void {
  if (!isTauri()) return () => undefined
  let stopped = false
  let stop: (() => void) | undefined
  listen('inbox', asked).then((unlisten) => (stopped ? unlisten() : (stop = unlisten)), () => undefined)
  return () => {
    stopped = true
    stop?.()
  }
}

function onServerEvent(heard: (change: Change) => void): () => void {
  if (typeof EventSource === 'undefined') return () => undefined
  const source = new EventSource('/events')
  const read = (event: MessageEvent<string>) => {
    try {
      heard(JSON.parse(event.data) as Change)
    } catch {
      // A line that is not a change is no news.
    }
  }
  source.addEventListener('message', read)
  source.addEventListener('changed', read)
  return () => source.close()
}

function onMockChange(heard: (change: Change) => void): () => void {
  const listener = (event: Event) => heard((event as CustomEvent<Change>).detail)
  window.addEventListener('countersign-mock-change', listener)
  return () => window.removeEventListener('countersign-mock-change', listener)
}

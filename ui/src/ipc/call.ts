/**
 * The one door to the backend: a Tauri command in the app, `POST /ipc/{command}` in a browser on
 * the test bridge, and a backend inside the page when the build is the mock one.
 *
 * Everything else in the interface is tested by replacing this function.
 */
import { invoke, isTauri } from '@tauri-apps/api/core'
import { IpcError, toIpcError } from './failure'
import type { Commands } from './generated'

export type Command = keyof Commands
export type Args<C extends Command> = Commands[C]['args']
export type Answer<C extends Command> = Commands[C]['answer']
type Rest<C extends Command> = Record<string, never> extends Args<C> ? [args?: Args<C>] : [args: Args<C>]

/** Asks the backend for something. */
export async function call<C extends Command>(command: C, ...rest: Rest<C>): Promise<Answer<C>> {
  const args = (rest[0] ?? {}) as Args<C>
  try {
    if (import.meta.env.MODE === 'mock') {
      const { answer } = await import('./mock/backend')
      return await answer(command, args)
    }
    if (isTauri()) return await invoke<Answer<C>>(command, args)
    return await post(command, args)
  } catch (thrown) {
    throw toIpcError(thrown)
  }
}

async function post<C extends Command>(command: C, args: Args<C>): Promise<Answer<C>> {
  const response = await fetch(`/ipc/${command}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(args),
  })
  const body: unknown = await response.json().catch(() => {
    throw new IpcError('unavailable', `The backend answered with status ${response.status} and no JSON.`)
  })
  if (!response.ok) throw toIpcError(body)
  return body as Answer<C>
}

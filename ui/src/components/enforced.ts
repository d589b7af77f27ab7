/** Which policy version has just taken effect, for the status strip to say so. */
import { useSyncExternalStore } from 'react'
import type { Enforced } from '@/ipc/generated'

export type Enforcement = { version: number; tookMs: number; at: number }

let latest: Enforcement | null = null
const listeners = new Set<() => void>()

/** Says that a change that was asked for at `askedAt` is in force. */
export function announceEnforced(enforced: Enforced, askedAt: number): void {
  latest = { version: enforced.policy_version, tookMs: Math.round(performance.now() - askedAt), at: Date.now() }
  for (const listener of listeners) listener()
}

export const useEnforced = () =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => latest,
  )

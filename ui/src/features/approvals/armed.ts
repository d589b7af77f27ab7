import { useEffect, useState } from 'react'

/** How long the window has to be looked at before a person can approve. */
export const ARM_MS = 700

export type Arming = 'unseen' | 'away' | 'arming' | 'armed'

/** Why a person cannot approve yet. */
export const notYet: Record<Arming, string | undefined> = {
  unseen: 'Scroll to the end of the card first: all of it is signed',
  away: 'This window is not in front',
  arming: 'In a moment',
  armed: undefined,
}

/**
 * Whether a person can approve now: the card was seen whole, and the window has been in front,
 * with the focus, for a moment. A window that pops up under busy hands cannot be answered by
 * accident.
 */
export function useArmed(seen: boolean, what: string): Arming {
  // Since when the window is in front; 0 when it is not.
  const [front, setFront] = useState(() => sinceNow())
  const [armed, setArmed] = useState<string | null>(null)

  const key = `${what} ${front}`

  useEffect(() => {
    const look = () => setFront((since) => (inFront() ? since || sinceNow() : 0))
    window.addEventListener('focus', look)
    window.addEventListener('blur', look)
    document.addEventListener('visibilitychange', look)
    return () => {
      window.removeEventListener('focus', look)
      window.removeEventListener('blur', look)
      document.removeEventListener('visibilitychange', look)
    }
  }, [])

  useEffect(() => {
    if (front === 0 || !seen) return
    const timer = setTimeout(() => setArmed(key), ARM_MS)
    return () => clearTimeout(timer)
  }, [front, seen, key])

  if (!seen) return 'unseen'
  if (front === 0) return 'away'
  return armed === key ? 'armed' : 'arming'
}

function sinceNow(): number {
  return inFront() ? performance.now() + 1 : 0
}

function inFront(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}

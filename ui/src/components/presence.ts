import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { call } from '@/ipc/call'
import { status } from '@/ipc/queries'

const EVERY_MS = 30_000
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const

/** Tells the core that somebody is there, so that the idle clock starts anew. */
export function usePresence(): void {
  const queryClient = useQueryClient()
  useEffect(() => {
    let last = Date.now()
    const seen = () => {
      if (Date.now() - last < EVERY_MS) return
      last = Date.now()
      call('touch').then(
        (answer) => queryClient.setQueryData(status().queryKey, answer),
        // It locked meanwhile: the status says so.
        () => void queryClient.invalidateQueries(status()),
      )
    }
    for (const sign of SIGNS) window.addEventListener(sign, seen, { passive: true })
    return () => {
      for (const sign of SIGNS) window.removeEventListener(sign, seen)
    }
  }, [queryClient])
}

import { useEffect, useState, type RefObject } from 'react'

const EDGE = 4

/** Whether the whole card has been in sight: its end was scrolled to, or all of it fits. */
export function useSeenWhole(body: RefObject<HTMLElement | null>, what: string): boolean {
  const [seen, setSeen] = useState<string | null>(null)
  useEffect(() => {
    const element = body.current
    if (!element) return
    const look = () => {
      if (element.clientHeight > 0 && element.scrollTop + element.clientHeight >= element.scrollHeight - EDGE) setSeen(what)
    }
    look()
    element.addEventListener('scroll', look, { passive: true })
    const resized = new ResizeObserver(look)
    resized.observe(element)
    return () => {
      element.removeEventListener('scroll', look)
      resized.disconnect()
    }
  }, [body, what])
  return seen === what
}

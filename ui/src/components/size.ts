/** How large an element is, known before it is painted for the first time. */
import { useLayoutEffect, useState, type RefCallback } from 'react'

export type Size = { width: number; height: number }

/** What an element has inside of its borders, and a reference that tells which element. */
export function useSize(): Size & { ref: RefCallback<HTMLElement> } {
  const [element, ref] = useState<HTMLElement | null>(null)
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  useLayoutEffect(() => {
    if (!element) return
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = element
      setSize((before) => (before.width === width && before.height === height ? before : { width, height }))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [element])
  return { ...size, ref }
}

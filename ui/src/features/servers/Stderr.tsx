import { useLayoutEffect, useRef } from 'react'
import { Untrusted } from '@/components/Untrusted'
import type { Transport } from '@/ipc/generated'
import css from './Servers.module.css'

const NEAR = 8

/** The last lines of a server, in the order in which it wrote them. The end stays in sight unless somebody scrolls away from it. */
export function Stderr({ lines, kind }: { lines: string[]; kind: Transport['kind'] }) {
  const log = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useLayoutEffect(() => {
    if (log.current && atEnd.current) log.current.scrollTop = log.current.scrollHeight
  })
  if (kind === 'http') return <p className="dim">It is reached over HTTP: what it writes stays where it runs.</p>
  if (lines.length === 0) return <p className="dim">It has written nothing to its standard error.</p>
  return (
    <div className="stack tight">
      <div ref={log} className={css.stderr} tabIndex={0} role="log" aria-live="off" aria-label="Standard error, newest last"
        onScroll={({ currentTarget: it }) => { atEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < NEAR }}>
        {lines.map((line, index) => <div key={index}><Untrusted text={line} lines mono /></div>)}
      </div>
      <span className="dim small">The last lines that it wrote to its standard error.</span>
    </div>
  )
}

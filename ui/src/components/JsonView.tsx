import { Fragment, useMemo } from 'react'
import { characters, count } from '@/lib/format'
import { difference, lines, requoted, unquote, type Line, type Token } from '@/lib/json'
import { changedWords, type Part } from '@/lib/words'
import { Untrusted } from './Untrusted'
import css from './JsonView.module.css'

type Props = {
  source: string
  /** What it was before: what changed is marked, what is gone is listed. */
  before?: string | null
  label: string
}

const LONG = 400

/**
 * JSON as it is, line by line: number text is kept, nothing is parsed, merged or cut. Long texts
 * say how long they are. What a text holds cannot pass for a member of its own: its quotes are
 * escaped, and a line that it begins or runs over into stands under the value, never where keys do.
 */
export function JsonView({ source, before = null, label }: Props) {
  const shown = useMemo(() => lines(source), [source])
  const changes = useMemo(() => (before === null ? null : difference(before, source)), [before, source])
  if (!shown) {
    return (
      <div className={css.view} role="group" aria-label={label}>
        <p className={css.note}>This is not JSON. It is shown as it came.</p>
        <div className={css.raw}><Untrusted text={source} lines mono /></div>
      </div>
    )
  }
  return (
    <div className={css.view} role="group" aria-label={label}>
      {shown.map((line, index) => (
        <Row key={index} line={line} was={changes?.changed.get(line.path)} changed={line.leaf !== null && Boolean(changes?.changed.has(line.path))} />
      ))}
      {changes?.gone.map(({ path, was }) => (
        <div key={path} className={css.line} data-change="gone">
          <span className={css.sign}>−</span>
          <span className={css.content}>
            <span className={css.name} data-cell="name"><PathText path={path} />: </span>
            <span className={css.value} data-cell="value">
              <TokenText token={{ kind: was.startsWith('"') ? 'string' : 'literal', text: was }} />
              <span className={css.was}>no longer there</span>
            </span>
          </span>
        </div>
      ))}
    </div>
  )
}

/** The way to a value: keys in quotes, so that none can pass for several. */
function PathText({ path }: { path: string }) {
  return path.slice(1).split('/').map((step, index) => {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    return (
      <Fragment key={index}>
        {index > 0 ? ' › ' : null}
        {/^\d+$/.test(key) ? key : <TokenText token={{ kind: 'key', text: `"${requoted(key)}"` }} />}
      </Fragment>
    )
  })
}

function Row({ line, was, changed }: { line: Line; was: string | null | undefined; changed: boolean }) {
  const text = line.tokens.findLastIndex((token) => token.kind === 'string')
  const now = line.tokens[text]?.text
  const parts = useMemo(() => {
    if (!changed || !now || !was?.startsWith('"')) return null
    const found = changedWords(unquote(was), unquote(now))
    // Two texts that have no word in common are shown beside each other.
    return found.some((part) => part.change === 'same' && part.text.trim()) ? found : null
  }, [changed, now, was])
  const named = line.tokens[0]?.kind === 'key' ? 2 : 0
  return (
    <div className={css.line} data-change={changed ? (was === null ? 'new' : 'changed') : undefined}>
      <span className={css.sign} aria-hidden>
        {changed ? (was === null ? '+' : '~') : ''}
      </span>
      <span className={css.content} style={{ paddingLeft: line.depth * 16 }}>
        {named > 0 ? <span className={css.name} data-cell="name">{line.tokens.slice(0, named).map((token, index) => <TokenText key={index} token={token} />)}</span> : null}
        <span className={css.value} data-cell="value">
          {line.tokens.slice(named).map((token, index) => (index + named === text && parts ? <Words key={index} parts={parts} /> : <TokenText key={index} token={token} />))}
          {changed && was !== null && was !== undefined && !parts ? (
            <span className={css.was}>
              was <TokenText token={{ kind: was.startsWith('"') ? 'string' : 'number', text: was }} />
            </span>
          ) : null}
          {changed && was === null ? <span className={css.was}>new</span> : null}
        </span>
      </span>
    </div>
  )
}

/** A text that changed: what is new is underlined, what is gone is struck through. */
function Words({ parts }: { parts: Part[] }) {
  return (
    <span className={css.string}>
      <span aria-hidden>"</span>
      {parts.map(({ text, change }, index) => {
        const shown = <Untrusted text={requoted(text)} lines mono />
        return change === 'same' ? <Fragment key={index}>{shown}</Fragment> : change === 'new' ? <ins key={index}>{shown}</ins> : <del key={index}>{shown}</del>
      })}
      <span aria-hidden>"</span>
    </span>
  )
}

function TokenText({ token }: { token: Token }) {
  if (token.kind !== 'string' && token.kind !== 'key') return <span className={css[token.kind]}>{token.text}</span>
  const text = unquote(token.text)
  const length = characters(text)
  return (
    <span className={css[token.kind]}>
      <span aria-hidden>"</span>
      <Untrusted text={requoted(text)} lines mono />
      <span aria-hidden>"</span>
      {length > LONG ? <span className={css.measure}>{count(length)} characters, all shown</span> : null}
    </span>
  )
}

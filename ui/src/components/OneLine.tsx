import css from './OneLine.module.css'
import { Untrusted } from './Untrusted'

/**
 * A name in one line. A long one keeps both ends, since addresses often differ in the last part
 * alone. Only plain characters are cut in two: anything else is shown and warned of as a whole.
 */
export function OneLine({ text }: { text: string }) {
  if (!/^[!-~]{25,}$/.test(text)) return <span className="ellipsis" title={text}><Untrusted text={text} mono /></span>
  const middle = Math.ceil(text.length / 2)
  return (
    <span className={css.line} title={text}>
      <span className="visually-hidden"><Untrusted text={text} mono /></span>
      <span className="ellipsis mono" aria-hidden>{text.slice(0, middle)}</span>
      <span className={`${css.end} mono`} aria-hidden><span>{text.slice(middle)}</span></span>
    </span>
  )
}

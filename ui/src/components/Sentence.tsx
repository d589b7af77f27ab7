import { ticked } from '@/lib/ticked'
import { Untrusted } from './Untrusted'

/** A sentence of the core, in which names and commands stand between backticks. Whose words the names are is not known. */
export function Sentence({ text }: { text: string }) {
  return ticked(text).map((part, at) =>
    part.code ? <code key={at}><Untrusted text={part.text} /></code> : <Untrusted key={at} text={part.text} />)
}

import { Tooltip } from '@mantine/core'
import { memo } from 'react'
import { codePointText, mixedWords, pieces, spelledOut } from '@/lib/deceptive'
import css from './Untrusted.module.css'

type Props = {
  text: string
  /** Keep line breaks as line breaks, after their mark. */
  lines?: boolean
  mono?: boolean
}

/**
 * Text that an agent or a server wrote. Never markup; what could hide, reorder or forge is
 * written out; its direction cannot leak into the text around it.
 */
export const Untrusted = memo(function Untrusted({ text, lines = false, mono = false }: Props) {
  const mixed = mixedWords(text)
  return (
    <span className={`${css.text} ${mono ? 'mono' : ''}`} dir="ltr">
      {pieces(text).map((piece, index) =>
        piece.kind === 'text' ? (
          <bdi key={index}>{piece.text}</bdi>
        ) : (
          <span key={index}>
            <Chip codePoint={piece.codePoint} name={piece.name} quiet={lines} />
            {lines && piece.breaks ? <br /> : null}
          </span>
        ),
      )}
      {mixed.map((word) => (
        <Tooltip key={word} label={`This word mixes alphabets that look alike: ${spelledOut(word)}`}>
          <span className={css.warning} tabIndex={0}>
            mixed alphabets: {spelledOut(word)}
          </span>
        </Tooltip>
      ))}
    </span>
  )
})

// Where text has lines, its breaks and tabs are ordinary: still marked, but not as a warning.
const ordinary: Record<number, string> = { 0x09: '\u21e5', 0x0a: '\u21b5' }

function Chip({ codePoint, name, quiet }: { codePoint: number; name: string; quiet: boolean }) {
  const sign = quiet ? ordinary[codePoint] : undefined
  return (
    <span className={css.chip} title={`${name}, ${codePointText(codePoint)}`} data-code-point={codePoint} data-quiet={sign ? true : undefined}>
      {sign ?? codePointText(codePoint)}
    </span>
  )
}

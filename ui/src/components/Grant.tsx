import type { Grant } from '@/ipc/generated'
import css from './Grant.module.css'

// A record, so that a new state does not compile until it has a word.
export const grantLabel: Record<Grant, string> = { allow: 'Allow', deny: 'Deny', token: 'Token' }
export const grantMeaning: Record<Grant, string> = {
  allow: 'calls pass',
  deny: 'calls are refused',
  token: 'every call waits for a signature',
}

/** The state of a grant: glyph, colour and word together. The glyph is drawn by the style. */
export function GrantMark({ grant, plain = false, conditional = false }: { grant: Grant; plain?: boolean; conditional?: boolean }) {
  return (
    <span className={`${css.mark} ${plain ? css.plain : ''}`} data-grant={grant} {...(conditional ? { title: 'Only for arguments that satisfy its condition' } : {})}>
      {grantLabel[grant]}{conditional ? '*' : ''}
    </span>
  )
}

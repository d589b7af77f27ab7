/** What the keys of the built-in issuer are called. Records, so that a new state does not compile until it has a word. */
import type { Tone } from '@/components/Mark'
import type { IssuerKeyState } from '@/ipc/generated'
import { exactDuration } from '@/lib/format'

export const issuerKeyWord: Record<IssuerKeyState, string> = { next: 'Signs next', signing: 'Signs', retiring: 'Signs no more' }
export const issuerKeyTone: Record<IssuerKeyState, Tone> = { next: 'plain', signing: 'good', retiring: 'care' }
export const issuerKeyMeaning: Record<IssuerKeyState, string> = {
  next: 'It is published already, so that everybody knows it by the time it signs.',
  signing: 'New tokens are signed with it.',
  retiring: 'It stays published until the last token that it signed has ended.',
}

const usual = [300, 600, 900]

/** How long tokens may live: what is usual, and what is set now. */
export const tokenLifetimes = (now: number): { value: string; label: string }[] =>
  [...new Set([...usual, now])].sort((a, b) => a - b).map((secs) => ({ value: String(secs), label: `Tokens live ${exactDuration(secs)}` }))

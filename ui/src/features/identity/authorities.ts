/** What the standing of an outside authority is called, and what its prefix may be. */
import type { Tone } from '@/components/Mark'
import type { AuthorityStanding } from '@/ipc/generated'

export const authorityWord: Record<AuthorityStanding, string> = { trusted: 'Believed', no_list: 'No list yet', list_expired: 'List out of date', ended: 'Ended' }
export const authorityTone: Record<AuthorityStanding, Tone> = { trusted: 'good', no_list: 'care', list_expired: 'bad', ended: 'bad' }

/** What is wrong with the beginning of SPIFFE ids; nothing when it may be tried. */
export function prefixProblem(text: string): string | undefined {
  if (text === '') return 'What it may speak for is missing'
  if (!/^spiffe:\/\/[a-z0-9._-]+\//.test(text)) return 'It begins with spiffe://, a trust domain and a slash'
  return text.endsWith('/') ? undefined : 'It ends with a slash: otherwise it would speak for longer names too'
}

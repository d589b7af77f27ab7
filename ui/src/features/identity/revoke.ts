import type { Revoked, Timestamp } from '@/ipc/generated'

/** What of tokens can be withdrawn. */
export type TokenKind = Exclude<Revoked['kind'], 'certificate'>

/** What the form of a withdrawal holds. */
export type Draft = { kind: TokenKind; issuer: string; id: string; keyId: string; subject: string }

/** What is withdrawn. What is bound to a moment ends with the given one. */
export function revokedOf(draft: Draft, now: number): Revoked {
  const issuer = draft.issuer.trim()
  const until = new Date(now).toISOString() as Timestamp
  switch (draft.kind) {
    case 'token': return { kind: 'token', issuer, id: draft.id.trim() }
    case 'key': return { kind: 'key', issuer, key_id: draft.keyId.trim() }
    case 'subject': return { kind: 'subject', issuer, subject: draft.subject.trim(), until }
    case 'issuer': return { kind: 'issuer', issuer, until }
  }
}

/** What is missing; nothing when it can be withdrawn. */
export function revokeProblem(draft: Draft): string | undefined {
  if (draft.issuer.trim() === '') return 'The issuer is missing'
  if (draft.kind === 'token' && draft.id.trim() === '') return 'The token’s id is missing'
  if (draft.kind === 'key' && draft.keyId.trim() === '') return 'The key’s id is missing'
  return draft.kind === 'subject' && draft.subject.trim() === '' ? 'The subject is missing' : undefined
}

/** What the stages of a credential's life and what comes next are called. */
import type { Tone } from '@/components/Mark'
import type { CalendarWhat, CredentialStage, PostureWhat } from '@/ipc/generated'

// Records, so that a new value does not compile until it has its words.
export const stageWord: Record<CredentialStage, string> = {
  active: 'Active', expiring: 'Expiring', overlapping: 'Overlapping', unused: 'Unused', waiting: 'Not fetched', suspended: 'Suspended', expired: 'Expired', revoked: 'Revoked',
}
export const stageTone: Record<CredentialStage, Tone> = {
  active: 'good', expiring: 'care', overlapping: 'good', unused: 'care', waiting: 'plain', suspended: 'care', expired: 'plain', revoked: 'plain',
}
export const stageMeaning: Record<CredentialStage, string> = {
  active: 'It may be used', expiring: 'The last quarter of its life has begun, or its last three days', overlapping: 'It goes on for a while beside the one that takes its place',
  unused: 'It may be used, and nobody has for as long as is an alert', waiting: 'It takes the place of another, whose holder has not come for it', suspended: 'Its session was ended by an operator, who has to release it first',
  expired: 'Its time is up', revoked: 'It was withdrawn for good',
}
/** As they stand beside each other: what may be used first, what needs a look next, what is over last. */
export const stages: CredentialStage[] = ['active', 'overlapping', 'waiting', 'expiring', 'unused', 'suspended', 'expired', 'revoked']

/** What happens to one credential; the time follows. */
export const nextWord: Record<CalendarWhat, string> = { ends_unused: 'revoked if unused', expires: 'ends', overlap_ends: 'makes way', rotates: 'is replaced' }
/** The same, of a day: how many. */
export const dayWord: Record<CalendarWhat, string> = { rotates: 'replaced', expires: 'end', overlap_ends: 'make way', ends_unused: 'revoked if unused' }
export const nextSentence: Record<CalendarWhat, string> = {
  ends_unused: 'is revoked, unless somebody uses it before', expires: 'ends by its own time', overlap_ends: 'makes way for the one that takes its place', rotates: 'is replaced by itself',
}
export const whats: CalendarWhat[] = ['rotates', 'overlap_ends', 'expires', 'ends_unused']

export const faultWord: Record<PostureWhat, string> = {
  ends_without_successor: 'Ends within a day, and nothing takes its place', lives_too_long: 'Lasts longer than the tenant says today', never_used: 'Never used since its issue', not_fetched: 'Its holder has not come for it',
}

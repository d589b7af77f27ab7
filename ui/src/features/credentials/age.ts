/** How old a credential is, and what its bar shows. */
import type { CredentialRow } from '@/ipc/generated'

export type Age = {
  /** How much of its life is over, 0 to 1. */
  part: number
  /** Where on its way another one takes its place by itself. */
  turn: number | null
  lived: number
  life: number
  /** The last of its life, or as good as over. */
  isLate: boolean
  isOver: boolean
}

const within = (value: number) => Math.min(1, Math.max(0, value))

/** Seconds of a life that ends with the overlap, where there is one. */
export function ageOf({ credential, stage }: Pick<CredentialRow, 'credential' | 'stage'>, now: number): Age {
  const [begin, end] = [Date.parse(credential.created), Math.min(Date.parse(credential.expires), credential.overlap_ends ? Date.parse(credential.overlap_ends) : Number.POSITIVE_INFINITY)]
  const whole = Math.max(1, end - begin)
  const turn = credential.rotates ? (Date.parse(credential.rotates) - begin) / whole : null
  return {
    part: within((now - begin) / whole),
    turn: turn !== null && turn > 0 && turn < 1 ? turn : null,
    lived: Math.max(0, Math.min(now, end) - begin) / 1000,
    life: whole / 1000,
    isLate: stage === 'expiring' || stage === 'overlapping',
    isOver: stage === 'expired' || stage === 'revoked',
  }
}

const HOUR = 3_600

/** How lengths of time are told beside a life of so many seconds: in minutes, hours or days, and both in the same. */
export function roughly(life: number): (seconds: number) => string {
  const [unit, name] = life < 3 * HOUR ? [60, 'min'] : life <= 7 * 24 * HOUR ? [HOUR, 'h'] : [24 * HOUR, 'd']
  return (seconds) => `${Math.round(seconds / unit)} ${name}`
}

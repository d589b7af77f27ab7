/** Time and chance of the backend inside the page: the same at every start. */
import type { CorrelationId, Digest, Timestamp } from '../generated'

export const ago = (seconds: number): Timestamp => new Date(Date.now() - seconds * 1000).toISOString() as Timestamp
export const ahead = (seconds: number): Timestamp => ago(-seconds)

let seed = 20_261_121
export function chance(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}
export const pick = <T>(from: readonly T[]): T => from[Math.floor(chance() * from.length)] as T
export const below = (limit: number) => Math.floor(chance() * limit)

const hex = (length: number) => Array.from({ length }, () => below(16).toString(16)).join('')
export const id = <Id extends string>(prefix: string) => `${prefix}_${hex(32)}` as Id
export const digest = () => hex(64) as Digest
export const correlation = () => id<CorrelationId>('cor')

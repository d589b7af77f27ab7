/** Two keys, one soon after the other: the first says that a shortcut begins, the second which. */

const WITHIN_MS = 1_000

/**
 * Reads keys one by one. A key is the second one only if `first` came just before it; at the
 * beginning nothing came before.
 */
export class Chord {
  private begunAt: number | null = null

  constructor(private readonly first: string) {}

  /** Whether this key, pressed at `at` milliseconds, follows the first one. */
  follows(key: string, at: number): boolean {
    const begunAt = this.begunAt
    this.begunAt = key === this.first ? at : null
    return begunAt !== null && at - begunAt < WITHIN_MS
  }
}

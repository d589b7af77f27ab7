/** Conditions of cells, as far as the page knows them. What a schema means, the core says. */
import type { Grant } from '@/ipc/generated'

/** What a cell may grant to arguments that do not satisfy its condition: less than it says. */
export const narrower = (grant: Grant): Grant[] => (grant === 'allow' ? ['token', 'deny'] : grant === 'token' ? ['deny'] : [])

/** What is wrong with the text of a schema, before it is sent. */
export function schemaProblem(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'A schema is a JSON object'
    return Object.keys(value).length === 0 ? 'An empty schema is no condition' : null
  } catch {
    return 'This is not JSON yet'
  }
}

/** A schema over several lines. A text that is no JSON stays as it is. */
export function laidOut(schema: string): string {
  try {
    return JSON.stringify(JSON.parse(schema), null, 2)
  } catch {
    return schema
  }
}

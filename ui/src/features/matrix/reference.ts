import type { Grant, ReferenceRow } from '@/ipc/generated'

export type Filter = {
  /** Parts of the names of tool, server, role, scope or data system; all of them have to be there. */
  words?: string | undefined
  role?: string | undefined
  grant?: string | undefined
  /** Only tools of which nobody has said this. */
  lack?: string | undefined
}

const lacks: Record<string, (row: ReferenceRow) => boolean> = {
  scopes: (row) => row.scopes.length === 0,
  system: (row) => row.data_system === null,
}

/** What `granted` means besides the grants themselves: everything but `deny`. */
const grants: Record<string, Grant[]> = { granted: ['allow', 'token'], allow: ['allow'], token: ['token'], deny: ['deny'] }

/** The rows that a filter leaves, in their order. */
export function filtered(rows: ReferenceRow[], { words, role, grant, lack }: Filter): ReferenceRow[] {
  const parts = (words ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const wanted = grants[grant ?? '']
  const lacking = lacks[lack ?? '']
  return rows.filter((row) => {
    if (role && row.role !== role) return false
    if (wanted && !wanted.includes(row.grant)) return false
    if (lacking && !lacking(row)) return false
    if (parts.length === 0) return true
    const text = `${row.server_name}/${row.tool_name} ${row.role_name} ${row.scopes.join(' ')} ${row.data_system ?? ''}`.toLowerCase()
    return parts.every((part) => text.includes(part))
  })
}

export type Sum = { tools: number; withoutScopes: number; withoutSystem: number }

/** How many tools there are, and of how many nobody has said what they need. */
export function sumOf(rows: ReferenceRow[]): Sum {
  const tools = new Map(rows.map((row) => [row.tool, row]))
  const sum: Sum = { tools: tools.size, withoutScopes: 0, withoutSystem: 0 }
  for (const row of tools.values()) {
    if (row.scopes.length === 0) sum.withoutScopes += 1
    if (row.data_system === null) sum.withoutSystem += 1
  }
  return sum
}

/** The matrix as rows and cells: what is shown, what is selected, what a change would do. */
import type { CellChange, Grant, MatrixTool, MatrixView, RoleId, ServerId, TaskId, ToolId } from '@/ipc/generated'

import { marked } from '@/lib/kinds'

export type SheetRow =
  | { kind: 'server'; id: ServerId; name: string; enabled: boolean; first: number; tools: number; things: readonly MatrixTool[] }
  | { kind: 'tool'; tool: MatrixTool; /** Its number among the tools shown. */ at: number; outside: boolean }

export type Filter = { words?: string | undefined; server?: string | undefined; lens?: string | undefined; kind?: string | undefined }

export type Sheet = {
  rows: SheetRow[]
  /** The tools shown, in order. */
  tools: MatrixTool[]
  /** Where each shown tool stands among the rows. */
  rowOf: number[]
}

/** What is shown under a filter, grouped by server. */
export function sheet(view: MatrixView, filter: Filter): Sheet {
  const words = (filter.words ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const lens = view.tasks.find((task) => task.id === (filter.lens as TaskId | undefined))
  const inLens = lens && new Set(lens.tools)
  const out: Sheet = { rows: [], tools: [], rowOf: [] }
  for (const server of view.servers) {
    if (filter.server && filter.server !== server.id) continue
    const tools = view.tools.filter((tool) => tool.server === server.id && (!filter.kind || tool.kind === filter.kind) && matches(tool, server.name, words))
    if (tools.length === 0) continue
    out.rows.push({ kind: 'server', id: server.id, name: server.name, enabled: server.enabled, first: out.tools.length, tools: tools.length, things: tools })
    for (const tool of tools) {
      out.rowOf.push(out.rows.length)
      out.rows.push({ kind: 'tool', tool, at: out.tools.length, outside: inLens !== undefined && !inLens.has(tool.id) })
      out.tools.push(tool)
    }
  }
  return out
}

const matches = (tool: MatrixTool, server: string, words: string[]) =>
  words.every((word) => `${server} ${marked(tool)} ${tool.title ?? ''}`.toLowerCase().includes(word))

export type Spot = { tool: number; role: number }
/** From where the selection was begun to where it is now. */
export type Selection = { anchor: Spot; active: Spot }

export const only = (spot: Spot): Selection => ({ anchor: spot, active: spot })

export type Range = { tools: [number, number]; roles: [number, number] }

export const rangeOf = ({ anchor, active }: Selection): Range => ({
  tools: [Math.min(anchor.tool, active.tool), Math.max(anchor.tool, active.tool)],
  roles: [Math.min(anchor.role, active.role), Math.max(anchor.role, active.role)],
})

/** The first and the last column of a row that a range covers; -1 when it covers none of them. */
export const columnsIn = (range: Range, tool: number): [number, number] =>
  tool >= range.tools[0] && tool <= range.tools[1] ? range.roles : [-1, -1]

export const cellCount = ({ tools, roles }: Range) => (tools[1] - tools[0] + 1) * (roles[1] - roles[0] + 1)

export type Size = { tools: number; roles: number; page: number }

/** Where a key leads: the new selection, or nothing when the key does not move. */
export function move(selection: Selection, key: string, extend: boolean, size: Size): Selection | null {
  const { tool, role } = selection.active
  const steps: Record<string, Spot> = {
    ArrowUp: { tool: tool - 1, role },
    ArrowDown: { tool: tool + 1, role },
    ArrowLeft: { tool, role: role - 1 },
    ArrowRight: { tool, role: role + 1 },
    PageUp: { tool: tool - size.page, role },
    PageDown: { tool: tool + size.page, role },
    Home: { tool, role: 0 },
    End: { tool, role: size.roles - 1 },
  }
  const to = steps[key]
  if (!to || size.tools === 0 || size.roles === 0) return null
  const active = {
    tool: Math.max(0, Math.min(size.tools - 1, to.tool)),
    role: Math.max(0, Math.min(size.roles - 1, to.role)),
  }
  return { anchor: extend ? selection.anchor : active, active }
}

/** Keeps a selection inside what is shown. */
export function clamp(selection: Selection, size: Pick<Size, 'tools' | 'roles'>): Selection {
  const fit = ({ tool, role }: Spot): Spot => ({
    tool: Math.max(0, Math.min(size.tools - 1, tool)),
    role: Math.max(0, Math.min(size.roles - 1, role)),
  })
  return { anchor: fit(selection.anchor), active: fit(selection.active) }
}

export const cellKey = (tool: ToolId, role: RoleId) => `${tool}/${role}`

/** A matrix that finds a cell by its ids. */
export class Grants {
  private readonly toolAt: Map<ToolId, number>
  private readonly roleAt: Map<RoleId, number>
  private readonly conditional: Set<string>

  constructor(private readonly view: MatrixView) {
    this.toolAt = new Map(view.tools.map((tool, at) => [tool.id, at]))
    this.roleAt = new Map(view.roles.map((role, at) => [role.id, at]))
    this.conditional = new Set(view.conditions.map(({ tool, role }) => cellKey(tool, role)))
  }

  /** Whether a cell grants what it says to some arguments only. */
  hasCondition(tool: ToolId, role: RoleId): boolean {
    return this.conditional.has(cellKey(tool, role))
  }

  /** No grant means deny. */
  of(tool: ToolId, role: RoleId): Grant {
    return this.view.cells[this.toolAt.get(tool) ?? -1]?.[this.roleAt.get(role) ?? -1] ?? 'deny'
  }

  /** The same matrix after some changes. */
  with(changes: CellChange[], version: number): MatrixView {
    const cells = this.view.cells.slice()
    for (const { tool, role, grant } of changes) {
      const [row, column] = [this.toolAt.get(tool), this.roleAt.get(role)]
      if (row === undefined || column === undefined) continue
      const copy = (cells[row] ?? []).slice()
      copy[column] = grant
      cells[row] = copy
    }
    const changed = new Set(changes.map(({ tool, role }) => cellKey(tool, role)))
    const conditions = this.view.conditions.filter(({ tool, role }) => !changed.has(cellKey(tool, role)))
    for (const { tool, role, condition } of changes) if (condition) conditions.push({ tool, role, condition })
    return { ...this.view, cells, conditions, policy_version: version }
  }
}

export type Planned = CellChange & { from: Grant }

/** What setting a range to a grant would change, cell by cell. What has it already is left out. */
export function plan(range: Range, grant: Grant, shown: Sheet, view: MatrixView, now: (tool: ToolId, role: RoleId) => Grant): Planned[] {
  const planned: Planned[] = []
  for (let at = range.tools[0]; at <= range.tools[1]; at += 1) {
    const tool = shown.tools[at]
    for (let column = range.roles[0]; tool && column <= range.roles[1]; column += 1) {
      const role = view.roles[column]
      if (!role) continue
      const from = now(tool.id, role.id)
      if (from !== grant) planned.push({ tool: tool.id, role: role.id, grant, from })
    }
  }
  return planned
}

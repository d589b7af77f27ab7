import { expect, test } from 'vitest'
import type { Grant, MatrixView } from '@/ipc/generated'
import { cellCount, clamp, columnsIn, Grants, move, only, plan, rangeOf, sheet } from './sheet'

const tool = (id: string, server: string, kind = 'tool') => ({ id, server, kind, name: id, title: null, description: '', enabled: true, drifted: false, last_used: null })
const view = {
  policy_version: 7,
  roles: [{ id: 'r1', name: 'reader', agents: 1 }, { id: 'r2', name: 'admin', agents: 1 }],
  servers: [{ id: 's1', name: 'files', enabled: true }, { id: 's2', name: 'mail', enabled: true }],
  tools: [tool('read', 's1'), tool('write', 's1'), tool('send', 's2')],
  cells: [['allow', 'allow'], ['deny', 'token'], ['deny', 'deny']] as Grant[][],
  conditions: [],
  tasks: [{ id: 't1', name: 'look', tools: ['read'] }],
} as unknown as MatrixView
const grants = new Grants(view)
const size = { tools: 3, roles: 2, page: 2 }

test('tools stand under their server', () => {
  const rows = sheet(view, {}).rows.map((row) => (row.kind === 'server' ? `[${row.name}]` : row.tool.name))
  expect(rows).toEqual(['[files]', 'read', 'write', '[mail]', 'send'])
})

test('a filter leaves out what does not match, and servers without tools', () => {
  expect(sheet(view, { words: 'mail' }).tools.map((one) => one.name)).toEqual(['send'])
  expect(sheet(view, { server: 's1' }).rows).toHaveLength(3)
  expect(sheet(view, { words: 'nothing' }).rows).toEqual([])
})

test('a kind can be looked at alone, and is found by its mark', () => {
  const furnished = { ...view, tools: [...view.tools, tool('file:///a', 's1', 'resource'), tool('greet', 's2', 'prompt')] } as MatrixView
  const names = (filter: Parameters<typeof sheet>[1]) => sheet(furnished, filter).tools.map((one) => one.name)
  expect(names({})).toEqual(['read', 'write', 'file:///a', 'send', 'greet'])
  expect(names({ kind: 'resource' })).toEqual(['file:///a'])
  expect(names({ words: 'prompt:' })).toEqual(['greet'])
})

test('the lens marks what the task does not list', () => {
  const outside = sheet(view, { lens: 't1' }).rows.flatMap((row) => (row.kind === 'tool' ? [row.outside] : []))
  expect(outside).toEqual([false, true, true])
})

test('a cell that the matrix does not have is denied', () => {
  expect(grants.of('none' as never, 'r1' as never)).toBe('deny')
})

test('arrows move, shift extends, and neither leaves the matrix', () => {
  const start = only({ tool: 0, role: 0 })
  expect(move(start, 'ArrowUp', false, size)?.active).toEqual({ tool: 0, role: 0 })
  const extended = move(start, 'ArrowDown', true, size)
  expect(extended).toEqual({ anchor: { tool: 0, role: 0 }, active: { tool: 1, role: 0 } })
  expect(move(start, 'PageDown', false, size)?.active.tool).toBe(2)
  expect(move(start, 'End', false, size)?.active.role).toBe(1)
  expect(move(start, 'x', false, size)).toBeNull()
  expect(clamp(only({ tool: 9, role: 9 }), { tools: 1, roles: 1 }).active).toEqual({ tool: 0, role: 0 })
})

test('a range is the rectangle between both ends, whichever came first', () => {
  const range = rangeOf({ anchor: { tool: 2, role: 1 }, active: { tool: 1, role: 0 } })
  expect(range).toEqual({ tools: [1, 2], roles: [0, 1] })
  expect(cellCount(range)).toBe(4)
  expect([columnsIn(range, 1), columnsIn(range, 0)]).toEqual([range.roles, [-1, -1]])
})

test('a plan names only what would change', () => {
  const shown = sheet(view, {})
  const planned = plan({ tools: [0, 1], roles: [0, 1] }, 'allow', shown, view, grants.of.bind(grants))
  expect(planned.map((one) => `${one.tool}/${one.role}: ${one.from}`)).toEqual(['write/r1: deny', 'write/r2: token'])
})

test('a plan under a filter never touches a tool that is not shown', () => {
  const shown = sheet(view, { words: 'mail' })
  expect(plan({ tools: [0, 0], roles: [0, 1] }, 'allow', shown, view, grants.of.bind(grants)).map((one) => one.tool)).toEqual(['send', 'send'])
})

test('a change gives a new matrix and leaves the old one alone', () => {
  const after = grants.with([{ tool: 'send' as never, role: 'r2' as never, grant: 'token' }], 8)
  expect(new Grants(after).of('send' as never, 'r2' as never)).toBe('token')
  expect(after.policy_version).toBe(8)
  expect(grants.of('send' as never, 'r2' as never)).toBe('deny')
})

test('a condition is there until its cell is set without one', () => {
  const set = grants.with([{ tool: 'read', role: 'r1', grant: 'allow', condition: { schema: '{"type":"object"}', otherwise: 'deny' } }] as never, 8)
  const conditional = new Grants(set)
  expect(conditional.hasCondition('read' as never, 'r1' as never)).toBe(true)
  expect(conditional.hasCondition('read' as never, 'r2' as never)).toBe(false)
  expect(conditional.with([{ tool: 'read', role: 'r1', grant: 'token' }] as never, 9).conditions).toEqual([])
  expect(conditional.with([{ tool: 'write', role: 'r1', grant: 'token' }] as never, 9).conditions).toHaveLength(1)
})

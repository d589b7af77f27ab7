import { expect, test } from 'vitest'
import type { ReferenceRow } from '@/ipc/generated'
import { filtered, sumOf } from './reference'

const row = (tool: string, role: string, grant: ReferenceRow['grant'], scopes: string[] = [], system: string | null = null) =>
  ({ tool: `tol_${tool}`, tool_name: tool, server_name: 'workbench', role: `rol_${role}`, role_name: role, enabled: true, grant, condition: null, introspect: false, scopes, data_system: system }) as unknown as ReferenceRow

const rows = [
  row('read_file', 'reader', 'allow'), row('read_file', 'admin', 'allow'),
  row('send_email', 'reader', 'deny', ['mail:send'], 'Mail gateway'), row('send_email', 'admin', 'token', ['mail:send'], 'Mail gateway'),
  row('search', 'reader', 'deny', ['db:read']), row('search', 'admin', 'deny', ['db:read']),
]
const names = (found: ReferenceRow[]) => found.map((one) => `${one.tool_name}/${one.role_name}`)

test('nothing is left out without a filter, and the order stays', () => {
  expect(filtered(rows, {})).toEqual(rows)
  expect(filtered(rows, { words: '  ', grant: 'any', lack: 'nothing' })).toEqual(rows)
})

test('a row is found by its tool, server, role, scope and data system, all words together', () => {
  expect(names(filtered(rows, { words: 'MAIL:send' }))).toEqual(['send_email/reader', 'send_email/admin'])
  expect(names(filtered(rows, { words: 'gateway admin' }))).toEqual(['send_email/admin'])
  expect(names(filtered(rows, { words: 'workbench/read reader' }))).toEqual(['read_file/reader'])
  expect(filtered(rows, { words: 'mail nobody' })).toEqual([])
})

test('rows are chosen by role and by grant', () => {
  expect(names(filtered(rows, { role: 'rol_admin', grant: 'granted' }))).toEqual(['read_file/admin', 'send_email/admin'])
  expect(names(filtered(rows, { grant: 'token' }))).toEqual(['send_email/admin'])
  expect(filtered(rows, { grant: 'deny' })).toHaveLength(3)
})

test('tools of which nobody has said what they need are counted once, and found', () => {
  expect(sumOf(rows)).toEqual({ tools: 3, withoutScopes: 1, withoutSystem: 2 })
  expect(names(filtered(rows, { lack: 'scopes' }))).toEqual(['read_file/reader', 'read_file/admin'])
  expect(filtered(rows, { lack: 'system' })).toHaveLength(4)
})

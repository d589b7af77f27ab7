import { expect, test } from 'vitest'
import type { AuditRow } from '@/ipc/generated'
import { withoutTenant } from './AuditList'

const row = (summary: string, tenant_name: string | null) => ({ summary, tenant_name }) as AuditRow

test('a summary does not repeat the tenant whose page it stands on', () => {
  expect(withoutTenant(row('In tenant `acme` agent `a` may act.', 'acme'))).toBe('Agent `a` may act.')
  expect(withoutTenant(row('In tenant `acme` agent `a` may act.', 'other'))).toBe('In tenant `acme` agent `a` may act.')
  expect(withoutTenant(row('The gateway began to serve', null))).toBe('The gateway began to serve')
})

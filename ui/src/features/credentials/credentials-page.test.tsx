import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { TenantProvider } from '@/components/tenant'
import { call, type Command } from '@/ipc/call'
import type { CredentialRow, LifecycleView, TenantView } from '@/ipc/generated'
import { Ask } from './Ask'
import { whyNot } from './CredentialDetail'
import { CredentialTable } from './CredentialTable'
import { inForce } from './terms'
import { TermsForm } from './TermsForm'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const tenant = { id: 'tnt_1', name: 'acme' } as unknown as TenantView
const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
const rowOf = (id: string, more: object = {}, credential: object = {}) => ({
  agent_name: 'reader-1', stage: 'active', successor: null, next: { at: ago(-20), what: 'rotates' }, sessions: 1,
  credential: { id, agent: 'agt_1', kind: 'api_key', key_id: `csk_${id}`, state: 'active', created: ago(4), expires: ago(-68), last_used: ago(1), last_from: null, networks: [], tasks: null, proof: { kind: 'api_key' }, ...credential }, ...more,
}) as unknown as CredentialRow
const preview = { credentials: 1, sessions: 1, waiting: 0, agents: [{ agent: 'agt_1', name: 'reader-1', credentials: 1, left: 0, sessions: 1, waiting: 0, last_used: null }] }
const done = { old: rowOf('crd_1').credential, new: rowOf('crd_2').credential, secret: 'css_once' }
const answers: Partial<Record<Command, unknown>> = { revoke_preview: preview, credential_rotate: done, credential_revoke: done.old, lifecycle_show: inForce({}), lifecycle_set: inForce({}) }
const calls = (command: Command) => vi.mocked(call).mock.calls.filter(([name]) => name === command)

const show = (element: React.ReactElement) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}><TenantProvider value={tenant}>{element}</TenantProvider></QueryClientProvider>
    </MantineProvider>,
  )

beforeEach(() => vi.mocked(call).mockReset().mockImplementation((async (command: Command) => answers[command]) as never))

test('a key is ended at once only after who is cut off was told, and its successor’s secret goes to whoever asked', async () => {
  const rotated = vi.fn()
  show(<Ask doing="now" row={rowOf('crd_1')} onClose={() => undefined} onRotated={rotated} />)
  expect(await screen.findByText(/1 session ends, 0 waiting calls are taken back/)).toHaveTextContent('1 agent cut off')
  expect(screen.getByText('nothing')).toBeVisible()
  expect(calls('revoke_preview')).toEqual([['revoke_preview', { tenant: 'tnt_1', credential: 'crd_1' }]])
  expect(calls('credential_rotate')).toEqual([])
  fireEvent.click(screen.getByRole('button', { name: 'End it now' }))
  await waitFor(() => expect(rotated).toHaveBeenCalledWith(done))
  expect(calls('credential_rotate')).toEqual([['credential_rotate', { tenant: 'tnt_1', credential: 'crd_1', now: true }]])
})

test('taking a replacement back tells who loses the new key, not the old one', async () => {
  show(<Ask doing="rollback" row={rowOf('crd_1', { successor: 'crd_9' })} onClose={() => undefined} onRotated={() => undefined} />)
  await waitFor(() => expect(calls('revoke_preview')).toEqual([['revoke_preview', { tenant: 'tnt_1', credential: 'crd_9' }]]))
})

test('what cannot be replaced says why', () => {
  expect(whyNot(rowOf('crd_1'))).toBeUndefined()
  expect(whyNot(rowOf('crd_1', {}, { kind: 'certificate' }))).toMatch(/Only an API key/)
  expect(whyNot(rowOf('crd_1', {}, { state: 'suspended' }))).toMatch(/may be used/)
  expect(whyNot(rowOf('crd_1', { stage: 'waiting' }))).toMatch(/not come for it/)
  expect(whyNot(rowOf('crd_1', { stage: 'overlapping' }, { overlap_ends: ago(-3) }))).toMatch(/already/)
})

test('J and K go from row to row, and a head asks the core for another order', () => {
  const [opened, ordered] = [vi.fn(), vi.fn()]
  show(<CredentialTable rows={[rowOf('crd_1'), rowOf('crd_2')]} open={undefined} onOpen={opened} order="next" reversed={false} onOrder={ordered} />)
  const [one, other] = screen.getAllByRole('button', { name: /csk_/ })
  one?.focus()
  fireEvent.keyDown(document.activeElement ?? document.body, { key: 'j' })
  expect(other).toHaveFocus()
  fireEvent.keyDown(document.activeElement ?? document.body, { key: 'j' })
  expect(other).toHaveFocus()
  fireEvent.keyDown(document.activeElement ?? document.body, { key: 'k' })
  expect(one).toHaveFocus()
  fireEvent.click(one ?? document.body)
  expect(opened).toHaveBeenCalledOnce()
  fireEvent.click(screen.getByRole('button', { name: 'Last used' }))
  fireEvent.click(screen.getByRole('button', { name: 'Next' }))
  expect(ordered.mock.calls).toEqual([['used', false], ['next', true]])
})

test('what lets credentials live longer is saved only with an owner’s passphrase, and less without', async () => {
  const view: LifecycleView = inForce({ lifetime_secs: 7_200 })
  show(<TermsForm view={view} onDone={() => undefined} />)
  const field = screen.getByLabelText('Lasts at most')
  fireEvent.change(field, { target: { value: '1 h' } })
  expect(screen.queryByLabelText('An owner’s passphrase')).toBeNull()
  fireEvent.change(field, { target: { value: '3 h' } })
  fireEvent.click(screen.getByRole('button', { name: 'Save' }))
  await Promise.resolve()
  expect(calls('lifecycle_set')).toEqual([])
  fireEvent.change(screen.getByLabelText('An owner’s passphrase'), { target: { value: 'lantern oyster' } })
  fireEvent.click(screen.getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(calls('lifecycle_set')).toEqual([['lifecycle_set', { tenant: 'tnt_1', lifecycle: { lifetime_secs: 10_800 }, owner: 'lantern oyster' }]]))
})

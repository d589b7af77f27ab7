import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { ConfirmDialog } from '@/components/confirm'
import { call, type Command } from '@/ipc/call'
import type { OperatorView } from '@/ipc/generated'
import { OperatorsPage } from './OperatorsPage'
import { passphraseProblem } from './words'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const one = (id: string, name: string, role: OperatorView['role'], more: Partial<OperatorView> = {}) =>
  ({ id, name, role, created: '2026-01-01T00:00:00Z', key: `${id}`.padEnd(64, '0'), key_since: '2026-01-01T00:00:00Z', past_keys: [], ...more }) as unknown as OperatorView
const past = [{ key: 'f'.repeat(64), since: '2025-01-01T00:00:00Z', until: '2026-01-01T00:00:00Z', why: 'recovered' }] as unknown as OperatorView['past_keys']
const ada = one('opr_1', 'Ada', 'owner')
const bob = one('opr_2', 'Bob', 'approver', { past_keys: past })

const client = new QueryClient()
const calls = (command: Command) => vi.mocked(call).mock.calls.filter(([name]) => name === command).map(([, args]) => args)

function show(you: OperatorView) {
  const answers: Partial<Record<Command, unknown>> = { operator_list: [ada, bob], operator_group_list: [], status: { operator: you }, operator_create: ada, operator_recover: bob, operator_passphrase_set: you, operator_remove: null }
  vi.mocked(call).mockReset().mockImplementation((async (command: Command) => answers[command]) as never)
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}><OperatorsPage /><ConfirmDialog /></QueryClientProvider>
    </MantineProvider>,
  )
}

const menuOf = async (name: string) => {
  const row = (await screen.findByText(name)).closest('tr')
  fireEvent.click(within(row as HTMLElement).getByRole('button', { name: 'Change' }))
}
const type = (label: string, text: string) => fireEvent.change(screen.getByLabelText(label), { target: { value: text } })

beforeEach(() => client.clear())

test('who is no owner sees everybody and changes nobody but themselves', async () => {
  show(bob)
  await menuOf('Ada')
  await screen.findByText('Show the keys')
  for (const act of ['Change the role', 'Remove', 'Let in again']) expect(screen.queryByText(act)).toBeNull()
  expect(screen.getByRole('button', { name: 'Add an operator' })).toHaveAttribute('aria-disabled', 'true')
})

test('a passphrase is typed twice, goes with its command and stays nowhere', async () => {
  show(ada)
  await screen.findByText('you')
  fireEvent.click(screen.getByRole('button', { name: 'Add an operator' }))
  type('Name', 'Carol')
  type('Their passphrase', 'quite a secret')
  type('Once more', 'quite a secrer')
  const add = screen.getByRole('button', { name: 'Add' })
  expect(add).toHaveAttribute('aria-disabled', 'true')
  type('Once more', 'quite a secret')
  fireEvent.click(screen.getByLabelText('Auditor'))
  fireEvent.click(screen.getByRole('button', { name: 'Add' }))
  await waitFor(() => expect(calls('operator_create')).toEqual([{ name: 'Carol', role: 'auditor', passphrase: 'quite a secret' }]))
  await waitFor(() => expect(screen.queryByLabelText('Their passphrase')).toBeNull())
  const kept = JSON.stringify([client.getQueryCache().getAll().map((it) => it.state.data), client.getMutationCache().getAll().map((it) => it.state)])
  expect(kept).not.toContain('quite a secret')
})

test('an owner lets others in again, and themselves only by their passphrase', async () => {
  show(ada)
  await menuOf('Ada')
  await screen.findByText('Change your passphrase')
  expect(screen.queryByText('Let in again')).toBeNull()
  await menuOf('Bob')
  fireEvent.click(await screen.findByText('Let in again'))
  type('Their next passphrase', 'another secret')
  type('Once more', 'another secret')
  fireEvent.click(screen.getByRole('button', { name: 'Give them a new key' }))
  await waitFor(() => expect(calls('operator_recover')).toEqual([{ operator: 'opr_2', passphrase: 'another secret' }]))
})

test('past keys are there, with why they are past', async () => {
  show(ada)
  fireEvent.click(await screen.findByRole('button', { name: '1 past key' }))
  expect(await screen.findByText('f'.repeat(64))).toBeVisible()
  expect(screen.getByText(/the passphrase was lost/)).toBeVisible()
})

test('a passphrase has eight characters at least, however many bytes', () => {
  expect(passphraseProblem('äöüßéèê', 'äöüßéèê')).toContain('at least 8')
  expect(passphraseProblem('äöüßéèêô', 'äöüßéèêô')).toBeUndefined()
  expect(passphraseProblem('12345678', '12345679')).toContain('not the same')
})

import { act, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { call } from '@/ipc/call'
import type { Change } from '@/ipc/generated'
import { IpcError } from '@/ipc/failure'
import { App } from './App'

const news: ((change: Change) => void)[] = []
vi.mock('@/ipc/call', () => ({ call: vi.fn() }))
vi.mock('@/ipc/events', () => ({
  onChange: (heard: (change: Change) => void) => {
    news.push(heard)
    return () => undefined
  },
  onInbox: () => () => undefined,
}))

const passphrase = 'lantern oyster gravel quilt'
const before = {
  phase: 'first_run', secret_store: 'keychain', home: '/home', gateway: { state: 'stopped', url: null, problem: null, embedded: true },
  policy_version: 0, doubt: null, halted: null, calls_per_minute: 0, waiting_approvals: 0, webhook_problem: null, open_alerts: 0, open_incidents: 0, operator: null, locks_at: null, attached: null, now: new Date().toISOString(),
}
const after = { ...before, phase: 'ready', operator: { id: 'opr_1', name: 'Grace', role: 'owner', created: before.now } }

let loaded: (answer: unknown) => void
let hasOwner: boolean

// A core as it is while the starter loads: the owner is there, the tenant is not.
beforeEach(() => {
  hasOwner = false
  let tenants: unknown[] = []
  const answers: Record<string, () => unknown> = {
    status: () => (hasOwner ? after : before),
    tenant_list: () => tenants,
    first_run: () => {
      hasOwner = true
      return new Promise((resolve) => (loaded = resolve)).then((answer) => {
        tenants = [{ id: 'tnt_1', name: 'acme', standing: 'active', starter: true }]
        return answer
      })
    },
  }
  vi.mocked(call).mockReset().mockImplementation((async (command: string) => {
    const answer = answers[command]
    if (!answer) throw new IpcError('unavailable', `${command} is not asked for here`)
    return answer()
  }) as never)
})

test('the first run stays until the starter is there, and then leads to its overview', async () => {
  history.replaceState(null, '', '/#/')
  render(<App />)
  const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } })
  await screen.findByLabelText('Your name')
  type('Your name', 'Grace')
  type('Passphrase', passphrase)
  type('Passphrase again', passphrase)
  fireEvent.click(screen.getByRole('button', { name: 'Set up' }))
  await waitFor(() => expect(call).toHaveBeenCalledWith('first_run', expect.anything()))
  // The backend says that its status changed: an owner is there and unlocked.
  const asked = vi.mocked(call).mock.calls.length
  await act(async () => news.forEach((heard) => heard({ topic: 'status' })))
  await waitFor(() => expect(vi.mocked(call).mock.calls.length).toBeGreaterThan(asked))
  expect(screen.getByRole('heading', { name: 'Set up this console' })).toBeVisible()
  expect(call).not.toHaveBeenCalledWith('tenant_list')
  await act(async () => loaded(after))
  await waitFor(() => expect(location.hash).toBe('#/t/acme/overview'))
})

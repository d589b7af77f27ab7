import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { ConfirmDialog } from '@/components/confirm'
import { call } from '@/ipc/call'
import type { ApprovalView, OperatorRole } from '@/ipc/generated'
import { DenyForm } from './DenyForm'
import { PauseAgent } from './PauseAgent'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const view = { row: { tenant: 'tnt_1', agent_name: 'executor-1', state: 'pending' }, agent: 'agt_1', session: 'ses_1' } as unknown as ApprovalView

const show = (element: React.ReactElement) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        {element}
        <ConfirmDialog />
      </QueryClientProvider>
    </MantineProvider>,
  )

const as = (role: OperatorRole) =>
  vi.mocked(call).mockImplementation((command) => Promise.resolve((command === 'status' ? { operator: { name: 'Ada', role } } : { name: 'executor-1' }) as never))

beforeEach(() => {
  vi.mocked(call).mockReset()
})

test('o16 an agent is paused only after somebody confirmed what is taken back', async () => {
  as('approver')
  show(<PauseAgent view={view} />)
  fireEvent.click(await screen.findByRole('button', { name: 'Pause this agent…' }))
  expect(await screen.findByText(/every call that waits, not only this one/)).toBeInTheDocument()
  expect(call).not.toHaveBeenCalledWith('agent_pause', expect.anything())
  fireEvent.click(screen.getByRole('button', { name: 'Pause the agent' }))
  await waitFor(() => expect(call).toHaveBeenCalledWith('agent_pause', { tenant: 'tnt_1', agent: 'agt_1' }))
})

test('an auditor is told why nothing is paused', async () => {
  as('auditor')
  show(<PauseAgent view={view} />)
  await waitFor(() => expect(screen.getByRole('button', { name: 'Pause this agent…' })).toHaveAttribute('aria-disabled', 'true'))
})

test('o16 a denial is of one call unless all of the session is chosen, for one reason', async () => {
  as('owner')
  const denied = vi.fn()
  show(<DenyForm busy={false} onDeny={denied} onBack={() => {}} />)
  fireEvent.change(screen.getByLabelText(/^Why not/), { target: { value: ' No. ' } })
  fireEvent.click(screen.getByRole('button', { name: 'Deny the call' }))
  expect(denied).toHaveBeenLastCalledWith({ why: 'No.', all: false, end: false })
  fireEvent.click(screen.getByRole('radio', { name: 'All that waits of this session' }))
  fireEvent.click(screen.getByRole('button', { name: 'Deny all of the session' }))
  expect(denied).toHaveBeenLastCalledWith({ why: 'No.', all: true, end: false })
  const end = screen.getByRole('checkbox')
  await waitFor(() => expect(end).toBeEnabled())
  fireEvent.click(end)
  fireEvent.click(screen.getByRole('button', { name: 'Deny all and end the session' }))
  expect(denied).toHaveBeenLastCalledWith({ why: 'No.', all: true, end: true })
  fireEvent.click(screen.getByRole('radio', { name: 'Only this call' }))
  fireEvent.click(screen.getByRole('button', { name: 'Deny the call' }))
  expect(denied).toHaveBeenLastCalledWith({ why: 'No.', all: false, end: false })
})

test('an approver denies all of a session and does not end it', async () => {
  as('approver')
  show(<DenyForm busy={false} onDeny={() => {}} onBack={() => {}} />)
  fireEvent.click(screen.getByRole('radio', { name: 'All that waits of this session' }))
  expect(await screen.findByLabelText('Only an owner ends the session too')).toBeDisabled()
})

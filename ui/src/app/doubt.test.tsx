import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { call } from '@/ipc/call'
import type { OperatorRole, StatusView } from '@/ipc/generated'
import { Doubt } from './Doubt'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))
beforeEach(() => vi.mocked(call).mockReset().mockResolvedValue(null as never))

function show(doubt: string | null, role: OperatorRole = 'owner') {
  const operator = { id: 'opr_1', name: 'Grace', role, created: '2026-11-21T10:00:00.000Z' } as unknown as StatusView['operator']
  return render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}><Doubt status={{ doubt, operator }} /></QueryClientProvider>
    </MantineProvider>,
  )
}

const what = 'the registry is an older copy: its audit log ends with event 4 and went on to event 9'
const accept = () => screen.getByRole('button', { name: 'Accept the registry' })

test('a registry that is in order is not spoken of', () => {
  show(null)
  expect(screen.queryByRole('alert')).toBeNull()
})

test('a registry in doubt is accepted only by somebody who was told what it means and says that they know why', async () => {
  show(what)
  expect(screen.getByRole('alert')).toHaveTextContent('The registry is in doubt')
  fireEvent.click(screen.getByRole('button', { name: 'What to do…' }))
  expect(await screen.findByText(/^The registry is an older copy/)).toBeVisible()
  expect(screen.getByText(/what was revoked after it was made is not revoked any more/)).toBeVisible()
  fireEvent.click(accept())
  expect(call).not.toHaveBeenCalled()
  fireEvent.click(screen.getByLabelText('I know how this registry came to be what it is'))
  fireEvent.click(accept())
  await waitFor(() => expect(call).toHaveBeenCalledWith('registry_accept'))
})

test('nobody but an owner is offered it', async () => {
  show(what, 'policy_editor')
  fireEvent.click(screen.getByRole('button', { name: 'What to do…' }))
  fireEvent.click(await screen.findByLabelText('I know how this registry came to be what it is'))
  fireEvent.click(accept())
  expect(accept()).toHaveAttribute('aria-disabled', 'true')
  expect(call).not.toHaveBeenCalled()
})

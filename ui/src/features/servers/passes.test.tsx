import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { ConfirmDialog } from '@/components/confirm'
import { call } from '@/ipc/call'
import type { ServerView } from '@/ipc/generated'
import { ServerPasses } from './ServerPasses'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))
vi.mock('@/components/tenant', () => ({ useTenant: () => ({ id: 'tnt_1', name: 'acme' }) }))

const server = { id: 'srv_1', name: 'mail', passes: ['roots'] } as unknown as ServerView

const show = () =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}><ServerPasses server={server} /><ConfirmDialog /></QueryClientProvider>
    </MantineProvider>,
  )

beforeEach(() => {
  vi.mocked(call).mockReset().mockResolvedValue(server as never)
})

test('something passes only after the operator confirms, and is shut off at once', async () => {
  show()
  expect(screen.getByRole('switch', { name: /^Workspace folders/ })).toBeChecked()
  expect(screen.getByRole('switch', { name: /^Questions to the user/ })).not.toBeChecked()

  fireEvent.click(screen.getByRole('switch', { name: /^Questions to the user/ }))
  const yes = await screen.findByRole('button', { name: 'Let it pass' })
  expect(call).not.toHaveBeenCalled()
  fireEvent.click(yes)
  await vi.waitFor(() =>
    expect(call).toHaveBeenCalledWith('server_set_passes', { tenant: 'tnt_1', server: 'srv_1', passes: ['roots', 'elicitation'] }),
  )

  fireEvent.click(screen.getByRole('switch', { name: /^Workspace folders/ }))
  await vi.waitFor(() => expect(call).toHaveBeenLastCalledWith('server_set_passes', { tenant: 'tnt_1', server: 'srv_1', passes: [] }))
})

import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { call } from '@/ipc/call'
import { IpcError } from '@/ipc/failure'
import type { StatusView } from '@/ipc/generated'
import { FirstRun } from './FirstRun'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const client = new QueryClient()
const show = (phase: StatusView['phase'], onEnded: () => void) => (
  <MantineProvider env="test">
    <QueryClientProvider client={client}>
      <FirstRun status={{ phase, secret_store: 'keychain', home: '/home' } as StatusView} onBegun={() => undefined} onEnded={onEnded} />
    </QueryClientProvider>
  </MantineProvider>
)

test('a starter that cannot be loaded is told of, and the console opens without it', async () => {
  vi.mocked(call).mockRejectedValue(new IpcError('upstream', 'Countersign is set up, but the starter is not.'))
  const ended = vi.fn()
  const { rerender } = render(show('first_run', ended))
  fireEvent.change(screen.getByLabelText('Your name'), { target: { value: 'Grace' } })
  for (const label of ['Passphrase', 'Passphrase again']) {
    fireEvent.change(screen.getByLabelText(label), { target: { value: 'lantern oyster gravel quilt' } })
  }
  fireEvent.click(screen.getByRole('button', { name: 'Set up' }))
  await screen.findByText(/the starter is not/)
  rerender(show('ready', ended))
  expect(screen.queryByRole('button', { name: 'Set up' })).toBeNull()
  expect(ended).not.toHaveBeenCalled()
  fireEvent.click(screen.getByRole('button', { name: 'Go on without the starter' }))
  expect(ended).toHaveBeenCalled()
})

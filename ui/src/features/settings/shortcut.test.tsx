import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { IpcError } from '@/ipc/failure'
import { shortcutSet, shortcutShow } from '@/ipc/windows'
import { Shortcut } from './Shortcut'

vi.mock('@/ipc/windows', () => ({ shortcutShow: vi.fn(), shortcutSet: vi.fn() }))

const none = { keys: null, problem: null, impossible: null }
const show = () =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}><Shortcut /></QueryClientProvider>
    </MantineProvider>,
  )

beforeEach(() => {
  vi.mocked(shortcutShow).mockReset().mockResolvedValue(none)
  vi.mocked(shortcutSet).mockReset()
})

test('keys are chosen by pressing them, and those that people type with are not taken', async () => {
  vi.mocked(shortcutSet).mockResolvedValue({ ...none, keys: 'Ctrl+Alt+F9' })
  show()
  const field = await screen.findByLabelText('Keys')
  fireEvent.keyDown(field, { code: 'KeyA', shiftKey: true })
  expect(await screen.findByText(/other keys are typed with/)).toBeInTheDocument()
  fireEvent.click(screen.getByRole('button', { name: 'Use these keys' }))
  expect(shortcutSet).not.toHaveBeenCalled()
  fireEvent.keyDown(field, { code: 'F9', ctrlKey: true, altKey: true })
  expect(field).toHaveValue('Ctrl+Alt+F9')
  fireEvent.click(screen.getByRole('button', { name: 'Use these keys' }))
  await waitFor(() => expect(vi.mocked(shortcutSet).mock.calls[0]?.[0]).toBe('Ctrl+Alt+F9'))
})

test('keys that another program holds are said to be', async () => {
  vi.mocked(shortcutSet).mockRejectedValue(new IpcError('conflict', 'Ctrl+Alt+F9 is held by another program or by the system.'))
  show()
  fireEvent.keyDown(await screen.findByLabelText('Keys'), { code: 'F9', ctrlKey: true, altKey: true })
  fireEvent.click(screen.getByRole('button', { name: 'Use these keys' }))
  expect(await screen.findByText(/held by another program/)).toBeInTheDocument()
})

test('a session that lets no program hear keys says so, and offers no field', async () => {
  vi.mocked(shortcutShow).mockResolvedValue({ ...none, impossible: 'This session is Wayland’s.' })
  show()
  expect(await screen.findByText('This session is Wayland’s.')).toBeInTheDocument()
  expect(screen.queryByLabelText('Keys')).toBeNull()
})

import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import type { AttachedView } from '@/ipc/generated'
import { IpcError } from '@/ipc/failure'
import { joinGateway } from '@/ipc/windows'
import { JoinGateway } from './JoinGateway'

vi.mock('@/ipc/windows', () => ({ joinGateway: vi.fn(), mayJoin: () => true }))

const attached: AttachedView = { address: 'gateway.example:7412', operator_name: 'Grace', console_name: 'laptop', connected: false, problem: null }
const show = (view: AttachedView | null) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}><JoinGateway attached={view} /></QueryClientProvider>
    </MantineProvider>,
  )
const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } })
const join = () => fireEvent.click(screen.getByRole('button', { name: 'Join' }))

beforeEach(() => void vi.mocked(joinGateway).mockReset().mockResolvedValue({} as never))

test('a console that was started with its file asks for the code alone, and says whose it is', async () => {
  show(attached)
  expect(screen.getByText(/console laptop of Grace, for the gateway at gateway.example:7412/)).toBeInTheDocument()
  join()
  expect(joinGateway).not.toHaveBeenCalled()
  type('Code', 'ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2')
  join()
  await waitFor(() => expect(joinGateway).toHaveBeenCalledWith(null, 'ABCDE-FGHJK-LMNPQ-RSTUV-WXYZ2'))
})

test('a first start takes the file and the code, and says why it does not join', async () => {
  vi.mocked(joinGateway).mockRejectedValue(new IpcError('conflict', 'the code does not open this file'))
  show(null)
  type('Code', 'ABCDE')
  join()
  expect(joinGateway).not.toHaveBeenCalled()
  type('The console’s file', '{"countersign_console":1}')
  join()
  await waitFor(() => expect(joinGateway).toHaveBeenCalledWith('{"countersign_console":1}', 'ABCDE'))
  expect(await screen.findByText(/the code does not open this file/)).toBeInTheDocument()
})

import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { call } from '@/ipc/call'
import type { TenantView, ToolId } from '@/ipc/generated'
import { TenantProvider } from './tenant'
import { ToolNeeds } from './ToolNeeds'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))
beforeEach(() => vi.mocked(call).mockReset().mockResolvedValue({} as never))

const tool = { id: 'tol_1' as ToolId, name: 'send_email', scopes: ['mail:send'], data_system: null }

const change = (element: React.ReactElement) => {
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <TenantProvider value={{ id: 'tnt_1', name: 'acme' } as unknown as TenantView}>{element}</TenantProvider>
      </QueryClientProvider>
    </MantineProvider>,
  )
  fireEvent.click(screen.getByRole('button', { name: 'Change what send_email needs' }))
}
const save = () => fireEvent.click(screen.getByRole('button', { name: 'Save' }))
const label = /^Ask the provider of a token about it on each call/

test('a tool whose calls are asked about says so, and it is switched here', async () => {
  change(<ToolNeeds tool={{ ...tool, introspect: false }} />)
  fireEvent.click(screen.getByRole('switch', { name: label }))
  save()
  await waitFor(() => expect(call).toHaveBeenCalledWith('tool_describe', { tenant: 'tnt_1', tool: 'tol_1', scopes: ['mail:send'], introspect: true }))
})

test('where it is not known whether calls are asked about, that stays as it is', async () => {
  change(<ToolNeeds tool={tool} />)
  expect(screen.queryByRole('switch')).toBeNull()
  fireEvent.change(screen.getByLabelText('Data system'), { target: { value: ' Mail gateway ' } })
  save()
  await waitFor(() => expect(call).toHaveBeenCalledWith('tool_describe', { tenant: 'tnt_1', tool: 'tol_1', scopes: ['mail:send'], data_system: 'Mail gateway' }))
})

test('a tool is marked as able to send data out, which its server can only suggest', async () => {
  const claims = { read_only: false, destructive: null, open_world: true }
  change(<ToolNeeds tool={{ ...tool, claims, effects: { sends_out: false, destroys: false } }} />)
  fireEvent.click(screen.getByRole('button', { name: 'Cancel' }))
  expect(screen.getByText(/suggests: can send data out\. Nothing follows/)).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: 'Mark what send_email can do' }))
  fireEvent.click(screen.getByRole('checkbox', { name: /^Can send data out/ }))
  save()
  await waitFor(() => expect(call).toHaveBeenCalledWith('tool_set_effects', { tenant: 'tnt_1', tool: 'tol_1', effects: { sends_out: true, destroys: false } }))
})

import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { TenantProvider } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { AgentView, TenantView } from '@/ipc/generated'
import { RegisterCertificate } from './RegisterCertificate'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))
vi.mock('@tanstack/react-router', () => ({ Link: ({ children }: { children: React.ReactNode }) => <a href="#x">{children}</a> }))

const agent = { id: 'agt_1', name: 'reader-1', tasks: [], credentials: [] } as unknown as AgentView
const mesh = { id: 'aut_1', name: 'mesh', prefix: 'spiffe://mesh.example/agents/' }

let answers: Record<string, unknown>
beforeEach(() => {
  answers = { authority_show: { outside: [mesh] }, certificate_register: {} }
  vi.mocked(call).mockReset().mockImplementation((async (command: string) => answers[command]) as never)
})
const sent = (command: string) => vi.mocked(call).mock.calls.filter(([name]) => name === command).map(([, args]) => args)

const show = (element: React.ReactElement) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <TenantProvider value={{ id: 'tnt_1', name: 'acme' } as unknown as TenantView}>{element}</TenantProvider>
      </QueryClientProvider>
    </MantineProvider>,
  )
const press = (name: string) => fireEvent.click(screen.getByRole('button', { name }))

test('a certificate of others is registered by a SPIFFE ID that its authority may speak for', async () => {
  show(<RegisterCertificate agent={agent} onClose={() => undefined} />)
  const field = await screen.findByLabelText('SPIFFE ID')
  for (const wrong of [mesh.prefix, 'spiffe://mesh.example/agent', 'spiffe://other.example/agents/reader-1']) {
    fireEvent.change(field, { target: { value: wrong } })
    press('Register')
  }
  expect(sent('certificate_register')).toEqual([])
  fireEvent.change(field, { target: { value: 'spiffe://mesh.example/agents/reader-1' } })
  press('Register')
  await waitFor(() => expect(sent('certificate_register')).toEqual([{ tenant: 'tnt_1', agent: 'agt_1', authority: 'aut_1', spiffe: 'spiffe://mesh.example/agents/reader-1', lifetime_secs: 7_776_000 }]))
})

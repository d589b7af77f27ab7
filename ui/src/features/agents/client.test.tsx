import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { TenantProvider } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { AgentView, TenantView } from '@/ipc/generated'
import { RegisterCertificate } from './RegisterCertificate'
import { RegisterClient } from './RegisterClient'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))
vi.mock('@tanstack/react-router', () => ({ Link: ({ children }: { children: React.ReactNode }) => <a href="#x">{children}</a> }))

const later = new Date(Date.now() + 86_400_000).toISOString()
const agent = { id: 'agt_1', name: 'reader-1', tasks: [], credentials: [] } as unknown as AgentView
const client = {
  id: 'crd_1', client_id: 'csc_1', secret: null as string | null, method: 'private_key_jwt', expires: later, issuer: 'https://gw/t/acme/as', token_endpoint: 'https://gw/t/acme/as/token', endpoint: 'https://gw/t/acme/mcp',
  scopes: ['mcp:connect', 'db:read'], configurations: [],
}
const mesh = { id: 'aut_1', name: 'mesh', prefix: 'spiffe://mesh.example/agents/' }

let answers: Record<string, unknown>
beforeEach(() => {
  answers = { issuer_show: { enabled: true }, client_register: client, authority_show: { outside: [mesh] }, certificate_register: {} }
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

test('the secret of a client is shown once, in a dialog that only its own button closes', async () => {
  answers.client_register = { ...client, secret: 'csx_once', method: 'client_secret_basic' }
  const closed = vi.fn()
  show(<RegisterClient agent={agent} onClose={closed} />)
  await screen.findByRole('button', { name: 'Register the client' })
  press('Register the client')
  expect(await screen.findByText('csx_once')).toBeVisible()
  expect(sent('client_register')).toEqual([{ tenant: 'tnt_1', agent: 'agt_1', method: 'client_secret', lifetime_secs: 2_592_000 }])
  press('Close')
  expect(closed).not.toHaveBeenCalled()
  fireEvent.click(screen.getByLabelText('I have stored the secret'))
  press('Close')
  expect(closed).toHaveBeenCalledOnce()
})

test('a client with a key of its own hands in the public part alone', async () => {
  show(<RegisterClient agent={agent} onClose={() => undefined} />)
  fireEvent.click(await screen.findByLabelText('Its own key'))
  const field = () => screen.getByLabelText('Public keys (JWK Set)')
  press('Register the client')
  fireEvent.change(field(), { target: { value: '{"keys":[{"kty":"OKP","x":"AA","d":"AA"}]}' } })
  press('Register the client')
  expect(screen.getByText(/There is a private key in it/)).toBeVisible()
  expect(sent('client_register')).toEqual([])
  fireEvent.change(field(), { target: { value: '{"keys":[{"kty":"OKP","x":"AA"}]}' } })
  press('Register the client')
  await waitFor(() => expect(sent('client_register')).toEqual([{ tenant: 'tnt_1', agent: 'agt_1', method: 'private_key_jwt', lifetime_secs: 2_592_000, jwks: '{"keys":[{"kty":"OKP","x":"AA"}]}' }]))
})

test('no client is registered while the issuer is off', async () => {
  answers.issuer_show = { enabled: false }
  show(<RegisterClient agent={agent} onClose={() => undefined} />)
  expect(await screen.findByText('The built-in issuer is off')).toBeVisible()
  expect(screen.queryByRole('button', { name: 'Register the client' })).toBeNull()
})

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

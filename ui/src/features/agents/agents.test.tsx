import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { ConfirmDialog } from '@/components/confirm'
import { TenantProvider } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { AgentView, TenantView } from '@/ipc/generated'
import { Credentials } from './Credentials'
import { IssueCertificate } from './IssueCertificate'
import { IssueKey } from './IssueKey'
import { RegisterIdentity } from './RegisterIdentity'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const tenant = { id: 'tnt_1', name: 'acme' } as unknown as TenantView
const later = new Date(Date.now() + 86_400_000).toISOString()
const agent = {
  id: 'agt_1', name: 'reader-1', standing: 'active', roles: [], tasks: [{ id: 'tsk_1', name: 'workbench' }], live_sessions: 2, last_seen: null, created: later,
  credentials: [{ id: 'crd_1', agent: 'agt_1', kind: 'api_key', key_id: 'csk_acme_1', state: 'active', created: later, expires: later, last_used: null, last_from: null, networks: [], tasks: null, proof: { kind: 'api_key' } }],
} as unknown as AgentView
const key = {
  credential: 'crd_2', key_id: 'csk_acme_2', secret: 'css_once', expires: later, endpoint: 'http://127.0.0.1:7411/t/acme/mcp',
  configurations: [{ title: 'Any client', hint: 'Paste it.', language: 'json', text: '{}' }],
}

const show = (element: React.ReactElement) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <TenantProvider value={tenant}>{element}</TenantProvider>
        <ConfirmDialog />
      </QueryClientProvider>
    </MantineProvider>,
  )

beforeEach(() => vi.mocked(call).mockReset().mockResolvedValue(key as never))

test('a key is revoked only after the operator was told who is cut off', async () => {
  show(<Credentials agent={agent} />)
  fireEvent.click(screen.getByRole('button', { name: 'Revoke' }))
  expect(await screen.findByText(/Cut off: reader-1, with 2 live sessions/)).toBeVisible()
  expect(call).not.toHaveBeenCalled()
  fireEvent.click(screen.getByRole('button', { name: 'Revoke the key' }))
  await waitFor(() => expect(call).toHaveBeenCalledWith('credential_revoke', { tenant: 'tnt_1', credential: 'crd_1' }))
})

test('the secret is shown once, in a dialog that only its own button closes', async () => {
  const closed = vi.fn()
  show(<IssueKey agent={agent} onClose={closed} />)
  fireEvent.click(await screen.findByRole('button', { name: 'Issue the key' }))
  expect(await screen.findByText('css_once')).toBeVisible()

  fireEvent.keyDown(window, { key: 'Escape' })
  fireEvent.click(screen.getByRole('button', { name: 'Close' }))
  expect(closed).not.toHaveBeenCalled()
  expect(screen.getByText('css_once')).toBeVisible()

  fireEvent.click(screen.getByLabelText('I have stored the secret'))
  fireEvent.click(screen.getByRole('button', { name: 'Close' }))
  expect(closed).toHaveBeenCalledOnce()
})

test('a key declares the task that was chosen, for as long as was chosen', async () => {
  show(<IssueKey agent={agent} onClose={() => undefined} />)
  fireEvent.click(await screen.findByRole('button', { name: 'Issue the key' }))
  await waitFor(() =>
    expect(call).toHaveBeenCalledWith('credential_issue', { tenant: 'tnt_1', agent: 'agt_1', kind: 'api_key', lifetime_secs: 259_200, task: 'tsk_1' }),
  )
})

test('a key is narrowed to the tasks and networks that were chosen', async () => {
  show(<IssueKey agent={agent} onClose={() => undefined} />)
  fireEvent.click(await screen.findByLabelText('workbench'))
  fireEvent.change(screen.getByLabelText('Only from these networks'), { target: { value: '10.0.0.0/33' } })
  fireEvent.click(screen.getByRole('button', { name: 'Issue the key' }))
  expect(vi.mocked(call).mock.calls.filter(([command]) => command === 'credential_issue')).toEqual([])
  fireEvent.change(screen.getByLabelText('Only from these networks'), { target: { value: '10.0.0.0/8\n192.0.2.7' } })
  fireEvent.click(screen.getByRole('button', { name: 'Issue the key' }))
  await waitFor(() =>
    expect(call).toHaveBeenCalledWith('credential_issue', {
      tenant: 'tnt_1', agent: 'agt_1', kind: 'api_key', lifetime_secs: 259_200, task: 'tsk_1', tasks: ['tsk_1'], networks: ['10.0.0.0/8', '192.0.2.7/32'],
    }),
  )
})

test('each kind of credential says what proves it, from where it may be used and for what', () => {
  const one = agent.credentials[0] as AgentView['credentials'][number]
  const proofs = [
    { ...one, id: 'crd_2', kind: 'certificate', proof: { kind: 'certificate', serial: '7a31', fingerprint: 'ab'.repeat(32), spiffe: 'spiffe://x/agent/reader-1', pem: '' }, networks: ['10.0.0.0/8'] },
    { ...one, id: 'crd_3', kind: 'client', key_id: 'reader-1.acme', proof: { kind: 'client', method: 'private_key_jwt' }, tasks: [{ id: 'tsk_1', name: 'workbench' }] },
    { ...one, id: 'crd_4', kind: 'external', proof: { kind: 'external', provider: 'idp_1', provider_name: 'okta', subject: '0oa\u202e2f' } },
  ]
  show(<Credentials agent={{ ...agent, credentials: proofs } as unknown as AgentView} />)
  for (const words of ['spiffe://x/agent/reader-1', 'by a signed assertion', 'at okta', '10.0.0.0/8', 'U+202E']) expect(screen.getByText(words)).toBeVisible()
  expect(screen.getByText(/only for workbench/)).toBeVisible()
})

test('an external identity is registered with its provider and its exact subject', async () => {
  const provider = { id: 'idp_1', name: 'okta', enabled: true, settings: { claims: { agent: 'cid' } } }
  vi.mocked(call).mockImplementation((async (command: string) => (command === 'provider_list' ? [provider] : {})) as never)
  const closed = vi.fn()
  show(<RegisterIdentity agent={agent} onClose={closed} />)
  const register = () => screen.getByRole('button', { name: 'Register' })
  await screen.findByLabelText('Subject')
  fireEvent.click(register())
  fireEvent.change(screen.getByLabelText('Subject'), { target: { value: '0oa2f9k3' } })
  fireEvent.click(register())
  await waitFor(() => expect(closed).toHaveBeenCalledOnce())
  expect(vi.mocked(call).mock.calls.filter(([command]) => command === 'credential_register')).toEqual([
    ['credential_register', { tenant: 'tnt_1', agent: 'agt_1', provider: 'idp_1', subject: '0oa2f9k3', lifetime_secs: 7_776_000 }],
  ])
})

const certificate = {
  credential: 'crd_5', spiffe: 'spiffe://x/tenant/acme/agent/reader-1', serial: '7a310f', fingerprint: 'ab'.repeat(32), certificate: 'CERT', key: 'KEY-ONCE', authority: 'OWN', server_authority: 'SERVER',
  expires: later, endpoint: 'https://gate.example/t/acme/mcp', configurations: [{ title: 'curl', hint: 'Opens a session.', language: 'shell', text: 'curl' }],
}

test('the private key of a certificate is shown once, and covered until it is asked for', async () => {
  vi.mocked(call).mockResolvedValue(certificate as never)
  const closed = vi.fn()
  show(<IssueCertificate agent={agent} onClose={closed} />)
  fireEvent.click(await screen.findByRole('button', { name: 'Issue the certificate' }))
  expect(await screen.findByText('spiffe://x/tenant/acme/agent/reader-1')).toBeVisible()
  expect(call).toHaveBeenCalledWith('certificate_issue', { tenant: 'tnt_1', agent: 'agt_1', lifetime_secs: 86_400, task: 'tsk_1' })
  expect(screen.queryByText('KEY-ONCE')).toBeNull()
  fireEvent.click(screen.getByRole('button', { name: 'Show reader-1.key' }))
  expect(screen.getByText('KEY-ONCE')).toBeVisible()
  expect(screen.queryByText(/serves without TLS/)).toBeNull()

  fireEvent.keyDown(window, { key: 'Escape' })
  fireEvent.click(screen.getByRole('button', { name: 'Close' }))
  expect(closed).not.toHaveBeenCalled()
  fireEvent.click(screen.getByLabelText('I have stored the private key'))
  fireEvent.click(screen.getByRole('button', { name: 'Close' }))
  expect(closed).toHaveBeenCalledOnce()
})

test('a signing request of the agent’s own key is sent as it is, and a private key never', async () => {
  vi.mocked(call).mockResolvedValue({ ...certificate, key: null, endpoint: 'http://127.0.0.1:7411/t/acme/mcp' } as never)
  const closed = vi.fn()
  show(<IssueCertificate agent={agent} onClose={closed} />)
  fireEvent.click(await screen.findByLabelText('The agent’s own key'))
  const field = screen.getByLabelText('Signing request (PEM)')
  const issue = () => fireEvent.click(screen.getByRole('button', { name: 'Issue the certificate' }))
  const request = '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----'
  fireEvent.change(field, { target: { value: `-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----\n${request}` } })
  issue()
  expect(screen.getByText(/There is a private key in it/)).toBeVisible()
  expect(call).not.toHaveBeenCalled()
  fireEvent.change(field, { target: { value: `${request}\n` } })
  issue()
  await waitFor(() => expect(call).toHaveBeenCalledWith('certificate_issue', { tenant: 'tnt_1', agent: 'agt_1', lifetime_secs: 86_400, csr: request, task: 'tsk_1' }))
  expect(await screen.findByText(/serves without TLS now/)).toBeVisible()
  expect(screen.queryByRole('button', { name: 'Show reader-1.key' })).toBeNull()
  fireEvent.click(screen.getByRole('button', { name: 'Close' }))
  expect(closed).toHaveBeenCalled()
})

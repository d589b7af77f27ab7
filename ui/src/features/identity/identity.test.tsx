import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { confirm, ConfirmDialog } from '@/components/confirm'
import { RevokeEverything } from '@/components/RevokeEverything'
import { TenantProvider } from '@/components/tenant'
import { call, type Command } from '@/ipc/call'
import type { AgentView, ProviderView, TenantView, TokenReport } from '@/ipc/generated'
import { RevokeForm } from './RevokeForm'
import { bareSettings } from './settings'
import { TestToken } from './TestToken'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))
vi.mock('@tanstack/react-router', () => ({ Link: ({ children }: { children: React.ReactNode }) => <a href="#x">{children}</a> }))

const tenant = { id: 'tnt_1', name: 'acme', agents: 3, live_sessions: 2 } as unknown as TenantView
const provider = {
  id: 'idp_1', name: 'okta', enabled: true, settings: bareSettings('https://acme.okta.com', 'okta', false), subjects: 2,
  status: { standing: 'fresh', keys: [{ key_id: 'k-1', algorithm: 'RS256' }], ignored: [], fetched: null, failing_since: null, last_error: null, introspection: null },
} as unknown as ProviderView
const agent = { id: 'agt_1', name: 'reader-1', credentials: [{ state: 'active' }, { state: 'revoked' }], live_sessions: 1 } as unknown as AgentView
const report: TokenReport = {
  verdict: false, agent: null, agent_name: null, roles: null, tasks: [], scopes: [],
  checks: [{ name: 'Signature', passed: true, detail: 'made with key k-1' }, { name: 'Audience', passed: false, detail: 'another endpoint' }, { name: 'Scopes', passed: null, detail: '' }],
}

const answers: Partial<Record<Command, unknown>> = { provider_list: [provider], task_list: [], provider_test: report, revocation_add: { sentence: 'Done' }, revoke_preview: { credentials: 1, sessions: 1, waiting: 0, agents: [{ agent: 'agt_1', name: 'reader-1', credentials: 1, left: 0, sessions: 1, waiting: 0, last_used: null }] }, agent_revoke: { credentials: 1, sessions: 1, revocations: [] } }
const calls = (command: Command) => vi.mocked(call).mock.calls.filter(([name]) => name === command)
const client = new QueryClient()

const show = (element: React.ReactElement) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        <TenantProvider value={tenant}>{element}</TenantProvider>
        <ConfirmDialog />
      </QueryClientProvider>
    </MantineProvider>,
  )

beforeEach(() => {
  client.clear()
  vi.mocked(call).mockReset().mockImplementation((async (command: Command) => answers[command]) as never)
})

test('a token that is tested is in no cache and no state, and goes with the panel', async () => {
  const opened = show(<TestToken providers={[provider]} provider={provider} onChoose={() => undefined} onClose={() => undefined} />)
  const field = await screen.findByLabelText<HTMLTextAreaElement>('Token')
  fireEvent.change(field, { target: { value: ' eyJ.secret.token\n' } })
  fireEvent.click(screen.getByRole('button', { name: 'Check it' }))
  expect(await screen.findByText('It would be refused: 1 check fails')).toBeVisible()
  expect(calls('provider_test')).toEqual([['provider_test', { tenant: 'tnt_1', provider: 'idp_1', token: 'eyJ.secret.token' }]])
  for (const words of ['Holds', 'Fails', 'Not checked', 'nobody who is registered here']) expect(screen.getByText(words)).toBeVisible()

  const kept = JSON.stringify([client.getQueryCache().getAll().map((one) => [one.queryKey, one.state.data]), client.getMutationCache().getAll().map((one) => one.state)])
  expect(kept).not.toContain('secret')
  expect(JSON.stringify({ ...localStorage, ...sessionStorage }) + window.location.href).not.toContain('secret')
  opened.unmount()
  expect(field.value).toBe('')
})

test('a token is not tested before there is one', async () => {
  show(<TestToken providers={[provider]} provider={provider} onChoose={() => undefined} onClose={() => undefined} />)
  fireEvent.click(await screen.findByRole('button', { name: 'Check it' }))
  expect(calls('provider_test')).toEqual([])
})

test('everything of an agent is revoked only with a reason and its name typed', async () => {
  const closed = vi.fn()
  show(<RevokeEverything whose={{ kind: 'agent', agent }} onClose={closed} />)
  const revoke = () => screen.getByRole('button', { name: 'Revoke everything' })
  await screen.findByLabelText('Reason')
  expect(screen.getByText(/^1 credential and every access token/)).toBeVisible()
  expect(await screen.findByText(/1 session ends, 0 waiting calls are taken back/)).toHaveTextContent('1 agent cut off')
  fireEvent.click(revoke())
  fireEvent.change(screen.getByLabelText('Reason'), { target: { value: ' stolen ' } })
  fireEvent.click(revoke())
  fireEvent.change(screen.getByLabelText('Type reader-1 to confirm'), { target: { value: 'reader-2' } })
  fireEvent.click(revoke())
  expect(calls('agent_revoke')).toEqual([])
  fireEvent.change(screen.getByLabelText('Type reader-1 to confirm'), { target: { value: 'reader-1' } })
  fireEvent.click(revoke())
  await waitFor(() => expect(closed).toHaveBeenCalledOnce())
  expect(calls('agent_revoke')).toEqual([['agent_revoke', { tenant: 'tnt_1', agent: 'agt_1', reason: 'stolen' }]])
})

test('what nothing brings back is done only after its name was typed', async () => {
  const run = vi.fn(async () => undefined)
  show(<span />)
  confirm({ title: 'Remove okta?', body: 'Gone.', action: 'Remove', typed: 'okta', run })
  const remove = () => screen.getByRole('button', { name: 'Remove' })
  await screen.findByLabelText('Type okta to confirm')
  fireEvent.click(remove())
  fireEvent.change(screen.getByLabelText('Type okta to confirm'), { target: { value: 'Okta' } })
  fireEvent.click(remove())
  expect(run).not.toHaveBeenCalled()
  fireEvent.change(screen.getByLabelText('Type okta to confirm'), { target: { value: 'okta' } })
  fireEvent.click(remove())
  await waitFor(() => expect(run).toHaveBeenCalledOnce())
})

test('a key of an issuer is revoked with a reason, and the operator is told who is cut off', async () => {
  show(<RevokeForm wanted={{ kind: 'key', issuer: 'https://acme.okta.com', keyId: 'k-1' }} onClose={() => undefined} />)
  expect(await screen.findByText(/Cut off until they have tokens of another key: 2 subjects of okta/)).toBeVisible()
  const revoke = () => screen.getByRole('button', { name: 'Revoke' })
  fireEvent.click(revoke())
  expect(calls('revocation_add')).toEqual([])
  fireEvent.change(screen.getByLabelText('Reason'), { target: { value: 'leaked' } })
  fireEvent.click(revoke())
  await waitFor(() =>
    expect(calls('revocation_add')).toEqual([['revocation_add', { tenant: 'tnt_1', what: { kind: 'key', issuer: 'https://acme.okta.com', key_id: 'k-1' }, reason: 'leaked' }]]),
  )
})

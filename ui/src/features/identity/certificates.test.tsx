import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { ConfirmDialog } from '@/components/confirm'
import { TenantProvider } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { AgentView, TenantView } from '@/ipc/generated'
import { Authorities } from './Authorities'
import { Certificates } from './Certificates'
import { certificatesOf } from './certificates'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))
vi.mock('@tanstack/react-router', () => ({
  Link: ({ children }: { children: React.ReactNode }) => <a href="#x">{children}</a>, useNavigate: () => () => undefined, useSearch: () => ({}),
}))

const HOUR = 3_600_000
const at = (hours: number) => new Date(Date.now() + hours * HOUR).toISOString()
const certificate = (id: string, serial: string, state: string, from: number, to: number) => ({
  id, agent: 'agt_1', kind: 'certificate', key_id: serial, state, created: at(from), expires: at(to), last_used: null, last_from: null, networks: [], tasks: null,
  proof: { kind: 'certificate', serial, fingerprint: 'ab'.repeat(32), spiffe: 'spiffe://x/agent/reader-1', pem: '' },
})
const agent = (credentials: unknown[]) => ({ id: 'agt_1', name: 'reader-1', live_sessions: 1, credentials }) as unknown as AgentView
const authority = { certificate: 'OWN', created: at(-90), speaks_for: 'spiffe://x/agent/', list_number: 3, revoked: 1, list: null, former: [], outside: [], server_authority: null }

let agents: AgentView[] = []
beforeEach(() => {
  vi.mocked(call).mockReset().mockImplementation((async (command: string) => (command === 'agent_list' ? agents : command === 'authority_show' ? authority : {})) as never)
})

const show = (page = <Certificates />) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <TenantProvider value={{ id: 'tnt_1', name: 'acme' } as unknown as TenantView}>{page}</TenantProvider>
        <ConfirmDialog />
      </QueryClientProvider>
    </MantineProvider>,
  )

test('the next certificate to expire comes first, and what cannot be used any more last', () => {
  const all = [certificate('a', 'late', 'active', -1, 100), certificate('b', 'gone', 'expired', -40, -16), certificate('c', 'next', 'active', -20, 4), certificate('d', 'held', 'suspended', -1, 50), certificate('e', 'back', 'revoked', -30, 90)]
  expect(certificatesOf([agent([{ ...all[0], id: 'k', proof: { kind: 'api_key' } }, ...all])]).map(({ serial }) => serial)).toEqual(['next', 'held', 'late', 'back', 'gone'])
})

test('a certificate that expires soon is marked, and one is revoked by its serial number after a question', async () => {
  agents = [agent([certificate('crd_1', '7a31', 'active', -20, 4), certificate('crd_2', '9b02', 'active', -1, 167), certificate('crd_3', '0c11', 'expired', -40, -16)])]
  show()
  expect(await screen.findByText(/1 certificate expires soon/)).toBeVisible()
  expect(screen.queryByText('0c11')).toBeNull()
  fireEvent.click(screen.getByRole('button', { name: 'Revoke certificate 9b02' }))
  expect(await screen.findByText(/Cut off: reader-1, with 1 live session/)).toBeVisible()
  expect(call).not.toHaveBeenCalledWith('credential_revoke', expect.anything())
  fireEvent.click(screen.getByRole('button', { name: 'Revoke the certificate' }))
  await waitFor(() => expect(call).toHaveBeenCalledWith('credential_revoke', { tenant: 'tnt_1', credential: 'crd_2' }))
})

test('the own authority is shown with what it speaks for, and only the files that there are', async () => {
  show(<Authorities />)
  expect(await screen.findByText('spiffe://x/agent/')).toBeVisible()
  expect(screen.getByText(/number 3, with 1 certificate/)).toBeVisible()
  expect(screen.getByText('acme-agents.pem')).toBeVisible()
  expect(screen.queryByText('countersign.pem')).toBeNull()
  expect(screen.queryByText('acme-agents.crl')).toBeNull()
})

test('an outside authority is believed only with a prefix that ends, and without a private key', async () => {
  show(<Authorities />)
  fireEvent.click(await screen.findByRole('button', { name: 'Add an outside authority' }))
  const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } })
  const add = () => fireEvent.click(screen.getByRole('button', { name: 'Add the authority' }))
  const root = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'
  await screen.findByLabelText('Name')
  type('Name', 'mesh')
  type('Its certificates (PEM)', root)
  for (const open of ['spiffe://mesh.example/agents', 'spiffe://mesh.example', 'https://mesh.example/', 'spiffe:///agents/']) {
    type('It may speak for', open)
    add()
  }
  type('It may speak for', 'spiffe://mesh.example/agents/')
  type('Its certificates (PEM)', `${root}\n-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----`)
  add()
  expect(call).not.toHaveBeenCalledWith('authority_add', expect.anything())
  type('Its certificates (PEM)', root)
  add()
  await waitFor(() => expect(call).toHaveBeenCalledWith('authority_add', { tenant: 'tnt_1', name: 'mesh', prefix: 'spiffe://mesh.example/agents/', pem: root }))
})

import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { call } from '@/ipc/call'
import type { ApprovalRow, ApprovalView, SignatureView, Signing, SigningView } from '@/ipc/generated'
import { usualRule } from '@/lib/signing'
import { ApprovalCard } from './ApprovalCard'
import { ARM_MS } from './armed'
import { DecisionBar } from './DecisionBar'
import { progressOf } from './Signatures'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const soon = new Date(Date.now() + 600_000).toISOString()
const row = {
  id: 'apr_1', tenant: 'tnt_1', tenant_name: 'acme', agent_name: 'executor-1', task_name: 'workbench', server_name: 'workbench', tool_name: 'send_email',
  state: 'pending', requested: new Date().toISOString(), expires: soon, held: true, signed: 0, approvers: 1, broke_glass: false,
} as unknown as ApprovalRow

const viewWith = (rule: Partial<Signing>, more: Partial<SigningView> = {}, of: Partial<ApprovalRow> = {}) =>
  ({
    row: { ...row, approvers: rule.approvers ?? 1, ...of }, agent: 'agt_1', session: 'ses_1', roles: ['executor'], session_opened: soon, session_ends: soon, session_anomalies: 0, agent_anomalies: 0,
    tool: { kind: 'tool', name: 'send_email', server_name: 'workbench', description: 'Sends.', claims: { read_only: null, destructive: null, open_world: null }, effects: { sends_out: false, destroys: false }, definition: '{}', drift: null, problem: null, fingerprint: 'f'.repeat(64), grants: [] },
    arguments: '{"to":"ann"}', withheld: null, arguments_digest: 'd'.repeat(64), arguments_bytes: 12, previous: null, policy_version: 3, asked_because: 'The grant is Token.',
    signing: { rule: { ...usualRule, ...rule }, responsible: null, no_series: null, signed: 0, needed: rule.approvers ?? 1, signatures: [], you: { objection: null, may_break_glass: false }, ...more },
    decided_by: null, decided_at: null, reason: null, outcome: null, lost_before: null,
  }) as unknown as ApprovalView

const grace = { operator: 'opr_2', operator_name: 'Grace', at: soon, expires: soon, reason: 'Agreed on the phone', presence: true, breaks_glass: false, fault: null } as unknown as SignatureView

const show = (element: React.ReactElement) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>{element}</QueryClientProvider>
    </MantineProvider>,
  )
const approve = () => screen.getByRole('button', { name: 'Approve and sign' })
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))
const type = (label: string | RegExp, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } })

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(document, 'hasFocus').mockReturnValue(true)
  vi.mocked(call).mockReset().mockResolvedValue(viewWith({}) as never)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('o12 presence and a reason are asked for on the card, and go with the approval', async () => {
  show(<DecisionBar view={viewWith({ reason: true, presence: true })} seen />)
  await pass(ARM_MS)
  fireEvent.click(approve())
  expect(screen.getByRole('status')).toHaveTextContent('Say why first')
  type(/^Why you approve/, ' Agreed on the phone ')
  expect(screen.getByRole('status')).toHaveTextContent('Type your passphrase first')
  fireEvent.click(approve())
  await pass(10)
  expect(call).not.toHaveBeenCalled()
  type(/^Your passphrase/, 'correct horse battery')
  fireEvent.click(approve())
  await pass(10)
  expect(call).toHaveBeenCalledWith('approval_approve', { tenant: 'tnt_1', approval: 'apr_1', shown: 'd'.repeat(64), reason: 'Agreed on the phone', passphrase: 'correct horse battery' })
  expect(screen.getByLabelText(/^Your passphrase/)).toHaveValue('')
})

test('o15 whoever may not sign is told why, and can still deny', async () => {
  show(<DecisionBar view={viewWith({ group: 'finance' }, { you: { objection: 'only operators of group `finance` sign calls of this tool', may_break_glass: false } })} seen />)
  await pass(ARM_MS)
  expect(screen.getByRole('status')).toHaveTextContent('Only operators of group finance sign calls of this tool')
  fireEvent.click(approve())
  await pass(10)
  expect(call).not.toHaveBeenCalled()
  expect(screen.getByRole('button', { name: 'Deny' })).not.toHaveAttribute('aria-disabled')
  expect(screen.queryByRole('button', { name: /Break the glass/ })).toBeNull()
})

test('the card says who signed, what does not count and what is still needed', () => {
  const ended = { ...grace, operator: 'opr_3', operator_name: 'Linus', reason: null, fault: 'it has ended, and has to be given again' } as SignatureView
  show(<ApprovalCard view={viewWith({ approvers: 3, bar_responsible: true }, { signed: 1, needed: 2, signatures: [grace, ended], responsible: 'Mira' })} canDecide />)
  expect(screen.getByText(/Three different operators who may decide; not whoever answers for the agent/)).toBeInTheDocument()
  expect(screen.getByText(/Mira answers for it/)).toBeInTheDocument()
  expect(screen.getByText('Agreed on the phone')).toBeInTheDocument()
  expect(screen.getByText(/^does not count:/)).toHaveTextContent('does not count: it has ended, and has to be given again')
  expect(screen.getByText(/1 of 3 signed: 2 more signatures make the call/)).toBeInTheDocument()
})

test('breaking the glass is an act of its own, with a reason and the passphrase, and Enter does not do it', async () => {
  show(<DecisionBar view={viewWith({ approvers: 2, group: 'finance' }, { you: { objection: null, may_break_glass: true } })} seen />)
  await pass(ARM_MS)
  fireEvent.click(screen.getByRole('button', { name: /Break the glass/ }))
  expect(screen.getByText(/it takes 2 operators of group finance/)).toBeInTheDocument()
  const breaking = () => screen.getByRole('button', { name: 'Break the glass and sign alone' })
  fireEvent.click(breaking())
  type(/^Why it cannot wait/, 'The plant is on fire')
  fireEvent.click(breaking())
  await pass(10)
  expect(call).not.toHaveBeenCalled()
  type(/^Your passphrase/, 'correct horse battery')
  fireEvent.keyDown(breaking(), { key: 'Enter' })
  await pass(10)
  expect(call).not.toHaveBeenCalled()
  fireEvent.click(breaking())
  await pass(10)
  expect(call).toHaveBeenCalledWith('approval_approve', { tenant: 'tnt_1', approval: 'apr_1', shown: 'd'.repeat(64), reason: 'The plant is on fire', passphrase: 'correct horse battery', break_glass: true })
})

test('a call for which the glass was broken says so, and the list says how far a call is', () => {
  show(<ApprovalCard view={viewWith({ approvers: 2 }, { needed: 0, signatures: [{ ...grace, breaks_glass: true }] }, { state: 'executed', broke_glass: true })} canDecide={false} />)
  expect(screen.getByText('Broken: an owner signed alone')).toBeInTheDocument()
  expect(screen.getByText('broke the glass and signed alone')).toBeInTheDocument()
  expect(progressOf({ signed: 1, approvers: 2, state: 'pending' })).toBe('1 of 2 signed')
  expect(progressOf({ signed: 0, approvers: 3, state: 'pending' })).toBe('takes 3 signatures')
  expect(progressOf({ signed: 0, approvers: 1, state: 'pending' })).toBeNull()
  expect(progressOf({ signed: 2, approvers: 2, state: 'executed' })).toBeNull()
})

test('arguments that are withheld are not there, and the card says why', () => {
  const view = { ...viewWith({}), arguments: null, previous: null, withheld: 'The arguments are shown to those who may sign this call, to owners and to auditors.' } as ApprovalView
  show(<ApprovalCard view={view} canDecide={false} />)
  expect(screen.getByText(/shown to those who may sign this call, to owners and to auditors/)).toBeInTheDocument()
  expect(screen.getByText('12 bytes, not shown to you')).toBeInTheDocument()
  expect(screen.queryByText(/"to"/)).toBeNull()
})

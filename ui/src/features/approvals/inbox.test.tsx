import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import { useState } from 'react'
import { beforeEach, expect, test, vi } from 'vitest'
import { call } from '@/ipc/call'
import type { ApprovalRow, ApprovalView, Timestamp } from '@/ipc/generated'
import { usualRule } from '@/lib/signing'
import { ApprovalCard } from './ApprovalCard'
import { ApprovalInbox } from './ApprovalInbox'
import { sorted, type Order } from './calm-order'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const at = (secs: number) => new Date(Date.now() + secs * 1_000).toISOString() as Timestamp
const row = (agent: string, asked: number, left: number, more: Partial<ApprovalRow> = {}) =>
  ({
    id: `apr_${agent}`, tenant: 'tnt_1', tenant_name: 'acme', agent_name: agent, task_name: 'workbench', server_name: 'workbench', tool_name: 'send_email',
    state: 'pending', requested: at(-asked), expires: at(left), held: true, goes_on: false, signed: 0, approvers: 1, broke_glass: false, ...more,
  }) as unknown as ApprovalRow
const viewOf = (of: ApprovalRow, more: Partial<ApprovalView> = {}) =>
  ({
    row: of, agent: 'agt_1', session: 'ses_1', roles: ['executor'], session_opened: at(-60), session_ends: at(600), session_anomalies: 0, agent_anomalies: 0,
    tool: { kind: 'tool', name: 'send_email', server_name: 'workbench', description: 'Sends.', claims: { read_only: null, destructive: null, open_world: null }, effects: { sends_out: false, destroys: false }, definition: '{}', drift: null, problem: null, fingerprint: 'f'.repeat(64), grants: [] },
    arguments: '{"to":"ann"}', withheld: null, arguments_digest: 'd'.repeat(64), arguments_bytes: 12, previous: null, policy_version: 3, asked_because: 'The grant is Token.',
    signing: { rule: usualRule, responsible: null, no_series: null, signed: 0, needed: 1, signatures: [], you: { objection: null, may_break_glass: false } },
    decided_by: null, decided_at: null, reason: null, outcome: null, lost_before: null, ...more,
  }) as unknown as ApprovalView

const [first, second, third] = [row('ann', 30, 500), row('bob', 60, 90), row('cat', 90, 700)]
const known = new Map<string, ApprovalRow>()

beforeEach(() => {
  vi.mocked(call).mockReset().mockImplementation((command, args) =>
    Promise.resolve((command === 'approval_show' ? viewOf(known.get((args as { approval: string }).approval) ?? first) : { operator: { name: 'Ada', role: 'owner' } }) as never))
})

function Inbox({ rows, canDecide }: { rows: ApprovalRow[]; canDecide: boolean }) {
  const [open, setOpen] = useState<string>()
  const [order, setOrder] = useState<Order>('newest')
  return <ApprovalInbox rows={rows} open={open} onOpen={({ id }) => setOpen(id)} order={order} onOrder={setOrder} canDecide={canDecide} />
}

function show(rows: ApprovalRow[], canDecide = false) {
  for (const one of [first, second, third, ...rows]) known.set(one.id, one)
  const client = new QueryClient()
  const page = (shown: ApprovalRow[]) => (
    <MantineProvider env="test">
      <QueryClientProvider client={client}><Inbox rows={shown} canDecide={canDecide} /></QueryClientProvider>
    </MantineProvider>
  )
  const { rerender } = render(page(rows))
  return (now: ApprovalRow[]) => rerender(page(now))
}
const card = (agent: string) => screen.findByRole('article', { name: `Call of send_email by ${agent}` })
const names = () => screen.getAllByRole('option').map((one) => /ann|bob|cat/.exec(one.textContent)?.[0])

test('the card that is shown stays while other calls arrive, until it is decided', async () => {
  const come = show([second])
  const before = await card('bob')
  fireEvent.pointerEnter(before)
  come([first, second])
  expect(names()).toEqual(['ann', 'bob'])
  expect(await card('bob')).toBe(before)
  come([first, second, third])
  expect(await card('bob')).toBe(before)
  come([first, third])
  expect(await card('ann')).toBeInTheDocument()
})

test('u07 a click on a row leads to Deny, and keys that walk the list stay in it', async () => {
  show([first, second, third], true)
  await waitFor(() => expect(screen.getByRole('button', { name: 'Deny' })).toHaveFocus())
  const rowOf = (index: number) => screen.getAllByRole('option')[index] as HTMLElement
  const click = (index: number) => {
    rowOf(index).focus()
    fireEvent.click(rowOf(index))
  }
  click(1)
  await card('bob')
  await waitFor(() => expect(screen.getByRole('button', { name: 'Deny' })).toHaveFocus())
  click(1)
  expect(screen.getByRole('button', { name: 'Deny' })).toHaveFocus()
  rowOf(1).focus()
  fireEvent.keyDown(rowOf(1), { key: 'ArrowDown' })
  await card('cat')
  await screen.findByRole('button', { name: 'Deny' })
  expect(rowOf(2)).toHaveFocus()
  click(2)
  expect(screen.getByRole('button', { name: 'Deny' })).toHaveFocus()
})

test('the list says how many wait and which ends first, and is sorted as a person chooses', async () => {
  show([second, first, third])
  expect(screen.getByText('3 waiting')).toBeInTheDocument()
  expect(names()).toEqual(['ann', 'bob', 'cat'])
  const soonest = screen.getByText(/ends first/, { selector: '[role=option] *' })
  expect(soonest.closest('[role=option]')).toHaveTextContent('bob')
  fireEvent.pointerEnter(screen.getByRole('listbox'))
  fireEvent.click(screen.getByRole('radio', { name: 'Ends first' }))
  await waitFor(() => expect(names()).toEqual(['bob', 'ann', 'cat']))
})

test('what was decided comes in the order in which it comes', () => {
  const past = [row('ann', 90, 1, { state: 'denied' }), row('bob', 10, 2, { state: 'executed' })]
  expect(sorted(past, 'newest')).toBe(past)
  expect(sorted(past, 'ends')).toBe(past)
})

test('how far a call is keeps its words', () => {
  show([row('an-agent-with-a-long-name', 5, 600, { approvers: 2, signed: 1 })])
  expect(screen.getByText('· 1 of 2 signed')).toHaveClass('nowrap')
})

const showCard = (view: ApprovalView) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}><ApprovalCard view={view} canDecide /></QueryClientProvider>
    </MantineProvider>,
  )

test('breaking the glass stands apart from Deny and Approve', () => {
  const view = viewOf(first)
  showCard({ ...view, signing: { ...view.signing, you: { objection: null, may_break_glass: true } } })
  const bar = screen.getByRole('button', { name: 'Deny' }).closest('footer') as HTMLElement
  expect(within(bar).getByRole('button', { name: 'Approve and sign' })).toBeInTheDocument()
  expect(within(bar).queryByRole('button', { name: /Break the glass/ })).toBeNull()
  expect(screen.getByRole('button', { name: /Break the glass/ })).toBeInTheDocument()
})

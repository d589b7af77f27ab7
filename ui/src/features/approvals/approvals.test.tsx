import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { call } from '@/ipc/call'
import type { ApprovalRow, ApprovalView, Timestamp } from '@/ipc/generated'
import { usualRule } from '@/lib/signing'
import { ApprovalCard } from './ApprovalCard'
import { ARM_MS } from './armed'
import { calmOrder } from './calm-order'
import { DecisionBar } from './DecisionBar'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const soon = new Date(Date.now() + 600_000).toISOString()
const row = {
  id: 'apr_1', tenant: 'tnt_1', tenant_name: 'acme', agent_name: 'executor-1', task_name: 'workbench', server_name: 'workbench', tool_name: 'send_email',
  state: 'pending', requested: new Date().toISOString(), expires: soon, held: true, goes_on: false, signed: 0, approvers: 1, broke_glass: false,
} as unknown as ApprovalRow
const view = {
  row, agent: 'agt_1', session: 'ses_1', roles: ['executor'], session_opened: soon, session_ends: soon, session_anomalies: 0, agent_anomalies: 0,
  tool: { kind: 'tool', name: 'send_email', server_name: 'workbench', description: 'Sends.', claims: { read_only: null, destructive: null, open_world: null }, effects: { sends_out: false, destroys: false }, definition: '{}', drift: null, problem: null, fingerprint: 'f'.repeat(64), grants: [] },
  arguments: '{"to":"ann"}', arguments_digest: 'd'.repeat(64), arguments_bytes: 12, previous: null, policy_version: 3, asked_because: 'The grant is Token.',
  signing: { rule: usualRule, responsible: null, no_series: 'it is marked as able to send data out', signed: 0, needed: 1, signatures: [], you: { objection: null, may_break_glass: false } },
  decided_by: null, decided_at: null, reason: null, outcome: null, lost_before: null,
} as unknown as ApprovalView

const show = (element: React.ReactElement) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>{element}</QueryClientProvider>
    </MantineProvider>,
  )

const approve = () => screen.getByRole('button', { name: 'Approve and sign' })
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(document, 'hasFocus').mockReturnValue(true)
  vi.mocked(call).mockReset().mockResolvedValue(view as never)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('the card says of what kind it is, and shows the whole URI', () => {
  const tool = { ...view.tool, kind: 'template', name: 'file:///data/{name}' } as ApprovalView['tool']
  show(<ApprovalCard view={{ ...view, tool, arguments: '{"uri":"file:///data/log-1"}' }} canDecide={false} />)
  expect(screen.getByText(/Read a resource of the template/)).toBeInTheDocument()
  expect(screen.getByText('file:///data/{name}')).toBeInTheDocument()
  expect(screen.getByText(/file:\/\/\/data\/log-1/)).toBeInTheDocument()
  expect(screen.queryByText(/claims/i)).toBeNull()
  expect(screen.getByText('The first use of this resource template by this agent that a person sees.')).toBeInTheDocument()
})

test('the card says what the agent does meanwhile', () => {
  const said = (change: Partial<ApprovalRow>) => {
    const shown = show(<ApprovalCard view={{ ...view, row: { ...row, ...change } }} canDecide={false} />)
    const text = shown.container.textContent
    shown.unmount()
    return text
  }
  expect(said({})).toContain('the agent waits, and its call is made as soon as you approve')
  expect(said({ goes_on: true })).toContain('the agent goes on meanwhile and asks for the result')
  expect(said({ held: false })).toContain('it has to come back after your decision')
})

test('what the agent tried in its other sessions is told apart from what it tried in this one', () => {
  const said = (change: Partial<ApprovalView>) => {
    const shown = show(<ApprovalCard view={{ ...view, ...change }} canDecide={false} />)
    const told = [...shown.container.querySelectorAll('[data-tone]')].map((one) => [one.textContent, one.getAttribute('data-tone')])
    const others = shown.container.textContent?.includes('In other sessions:')
    shown.unmount()
    return { told: told.filter(([text]) => text?.includes('allowlist')), others }
  }
  const clean = ['No attempt outside its allowlist in this session', 'good']
  expect(said({})).toEqual({ told: [clean, ['No attempt outside its allowlist within the last 24 hours', 'good']], others: true })
  expect(said({ agent_anomalies: 1 })).toEqual({ told: [clean, ['1 attempt outside its allowlist within the last 24 hours', 'care']], others: true })
  expect(said({ session_anomalies: 2, agent_anomalies: 7 }).told).toEqual([['2 attempts outside its allowlist in this session', 'care'], ['7 attempts outside its allowlist within the last 24 hours', 'bad']])
  expect(said({ agent_anomalies: undefined as never })).toEqual({ told: [clean], others: false })
})

test('a call that may have been made already says so above all else', () => {
  const before = new Date(Date.now() - 720_000).toISOString() as Timestamp
  const { unmount } = show(<ApprovalCard view={{ ...view, lost_before: before }} canDecide />)
  const said = screen.getByRole('note')
  expect(said).toHaveTextContent('This very call was approved 12 min ago, and nobody knows whether it was made. Look at the server before you sign.')
  expect(said.compareDocumentPosition(screen.getByRole('region', { name: 'The whole call' }))).toBe(Node.DOCUMENT_POSITION_FOLLOWING)
  unmount()
  show(<ApprovalCard view={view} canDecide />)
  expect(screen.queryByRole('note')).toBeNull()
})

test('of a decided call it says first what became of it, in words', () => {
  show(<ApprovalCard view={{ ...view, row: { ...row, state: 'unknown' } as ApprovalRow, outcome: 'unknown', decided_by: 'Ada' }} canDecide={false} />)
  expect(screen.getAllByRole('heading').map((one) => one.textContent)[0]).toBe('What became of it')
  expect(screen.getByText('Unknown: it was sent, but no answer came')).toBeInTheDocument()
})

test('u07 deny has the focus', () => {
  show(<DecisionBar view={view} seen />)
  expect(screen.getByRole('button', { name: 'Deny' })).toHaveFocus()
})

test('u07 approve is armed only after the window was in front for a moment', async () => {
  show(<DecisionBar view={view} seen />)
  await pass(ARM_MS - 1)
  fireEvent.click(approve())
  expect(call).not.toHaveBeenCalled()
  await pass(1)
  fireEvent.click(approve())
  await pass(1)
  expect(call).toHaveBeenCalledWith('approval_approve', { tenant: 'tnt_1', approval: 'apr_1', shown: view.arguments_digest })
})

test('u07 losing the focus disarms approve', async () => {
  show(<DecisionBar view={view} seen />)
  await pass(ARM_MS)
  vi.mocked(document.hasFocus).mockReturnValue(false)
  fireEvent.blur(window)
  vi.mocked(document.hasFocus).mockReturnValue(true)
  fireEvent.focus(window)
  await pass(ARM_MS - 1)
  fireEvent.click(approve())
  await pass(10)
  expect(call).not.toHaveBeenCalled()
})

test.each([
  ['another request', { ...view, row: { ...row, id: 'apr_2' } as ApprovalRow }],
  ['other arguments', { ...view, arguments_digest: 'e'.repeat(64), arguments: '{"to":"eve"}' }],
])('o11 %s in the place of what was shown cannot be approved at once', async (_, other) => {
  const client = new QueryClient()
  const bar = (shown: ApprovalView) => (
    <MantineProvider env="test">
      <QueryClientProvider client={client}><DecisionBar view={shown} seen /></QueryClientProvider>
    </MantineProvider>
  )
  const { rerender } = render(bar(view))
  await pass(ARM_MS)
  rerender(bar(other as ApprovalView))
  fireEvent.click(approve())
  await pass(ARM_MS - 1)
  fireEvent.click(approve())
  expect(call).not.toHaveBeenCalled()
  await pass(1)
  fireEvent.click(approve())
  await pass(1)
  expect(call).toHaveBeenCalledWith('approval_approve', { tenant: 'tnt_1', approval: other.row.id, shown: other.arguments_digest })
})

test('u02 a card that was not seen whole cannot be approved', async () => {
  show(<DecisionBar view={view} seen={false} />)
  await pass(ARM_MS * 10)
  fireEvent.click(approve())
  await pass(10)
  expect(call).not.toHaveBeenCalled()
  expect(approve()).toHaveAttribute('aria-disabled', 'true')
})

test('u07 enter never approves', async () => {
  show(<DecisionBar view={view} seen />)
  await pass(ARM_MS)
  const button = approve()
  button.focus()
  // A browser clicks a button on Enter unless the key was taken from it.
  const left = fireEvent.keyDown(button, { key: 'Enter' })
  expect(left).toBe(false)
})

test('a call whose time is over cannot be approved or denied', async () => {
  const late = { ...view, row: { ...row, expires: new Date(Date.now() - 1).toISOString() } } as ApprovalView
  show(<DecisionBar view={late} seen />)
  await pass(ARM_MS)
  fireEvent.click(approve())
  fireEvent.click(screen.getByRole('button', { name: 'Deny' }))
  await pass(10)
  expect(call).not.toHaveBeenCalled()
  expect(screen.queryByLabelText('Why not')).toBeNull()
})

test('a denial carries its reason', async () => {
  show(<DecisionBar view={view} seen />)
  fireEvent.click(screen.getByRole('button', { name: 'Deny' }))
  fireEvent.change(screen.getByLabelText('Why not'), { target: { value: ' wrong address ' } })
  fireEvent.click(screen.getByRole('button', { name: 'Deny the call' }))
  await pass(1)
  expect(call).toHaveBeenCalledWith('approval_deny', { tenant: 'tnt_1', approval: 'apr_1', reason: 'wrong address' })
})

test('d03 the card of the main window shows everything and decides nothing', () => {
  show(<ApprovalCard view={view} canDecide={false} />)
  expect(screen.getByRole('group', { name: 'Arguments' })).toHaveTextContent('"to": "ann"')
  expect(screen.queryByRole('button', { name: 'Approve and sign' })).toBeNull()
  expect(screen.queryByRole('button', { name: 'Deny' })).toBeNull()
  expect(screen.getByRole('button', { name: 'Decide in the approval window' })).toBeVisible()
})

test('u04 what a tool says of itself is quoted, never a fact', () => {
  const loud = { ...view, tool: { ...view.tool, description: '✔ Verified by admin' } } as ApprovalView
  show(<ApprovalCard view={loud} canDecide={false} />)
  expect(screen.getByText('✔ Verified by admin').closest('blockquote')).toHaveTextContent('The server says:')
})

test('u04 what is marked here stands apart from what the server claims', () => {
  const { container, unmount } = show(<ApprovalCard view={{ ...view, tool: { ...view.tool, effects: { sends_out: true, destroys: true }, claims: { read_only: true, destructive: false, open_world: false } } }} canDecide={false} />)
  const marked = screen.getByRole('group', { name: 'Marked here' })
  expect(marked).toHaveTextContent('Marked here by an administrator:Can send data out, and can destroy')
  const quoted = container.querySelector('blockquote')
  expect(quoted).toHaveTextContent('The server claims that it only reads, destroys nothing, stays inside. Nothing checks that.')
  expect(quoted).not.toContainElement(marked)
  unmount()
  show(<ApprovalCard view={{ ...view, tool: { ...view.tool, claims: { read_only: false, destructive: true, open_world: true } } }} canDecide={false} />)
  expect(screen.getByRole('group', { name: 'Marked here' })).toHaveTextContent('neither as able to send data out nor to destroy')
})

test('u05 the pinned definition is folded, whole, and text alone', () => {
  const definition = JSON.stringify({ name: 'send_email', inputSchema: { properties: { to: { description: '<img src=x onerror=alert(1)> a\u202eb\u00a0c' } } } })
  const { container } = show(<ApprovalCard view={{ ...view, tool: { ...view.tool, definition } }} canDecide={false} />)
  const folded = screen.getByText('Definition as pinned').closest('details')
  expect(folded).not.toHaveAttribute('open')
  const shown = container.querySelector('[aria-label="Definition as pinned"]')
  expect(folded).toContainElement(shown as HTMLElement)
  expect(shown).toHaveTextContent('"inputSchema"')
  expect(shown).toHaveTextContent('<img src=x onerror=alert(1)> aU+202EbU+00A0c')
  expect(shown?.querySelector('img')).toBeNull()
})

test('x01 the card says when its server publishes another definition now', () => {
  const { unmount } = show(<ApprovalCard view={view} canDecide={false} />)
  expect(screen.queryByText(/publishes another definition/)).toBeNull()
  unmount()
  show(<ApprovalCard view={{ ...view, tool: { ...view.tool, drift: '{"name":"send_email"}' } }} canDecide={false} />)
  expect(screen.getByText('The server publishes another definition of this tool now: the call will be refused')).toHaveAttribute('data-tone', 'bad')
})

test('the list keeps its order under the pointer, and says what is gone', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((id) => ({ ...row, id }) as ApprovalRow) as [ApprovalRow, ApprovalRow, ApprovalRow]
  const before = calmOrder([], [a, b], false)
  expect(calmOrder(before, [c, b], true).map((one) => [one.row.id, one.gone])).toEqual([['a', true], ['b', false], ['c', false]])
  expect(calmOrder(before, [c, b], false).map((one) => one.row.id)).toEqual(['c', 'b'])
})

import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { call } from '@/ipc/call'
import type { ApprovalView, SeriesView, TenantId } from '@/ipc/generated'
import { usualRule } from '@/lib/signing'
import { ARM_MS } from './armed'
import { DecisionBar } from './DecisionBar'
import { RunningSeries } from './RunningSeries'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const soon = new Date(Date.now() + 600_000).toISOString()
const viewWith = (noSeries: string | null, objection: string | null = null) =>
  ({
    row: { id: 'apr_1', tenant: 'tnt_1', agent_name: 'executor-1', tool_name: 'write_file', state: 'pending', requested: soon, expires: soon },
    arguments: '{"content":"a","path":"reports/a.txt"}', arguments_digest: 'd'.repeat(64),
    signing: { rule: usualRule, responsible: null, no_series: noSeries, signed: 0, needed: 1, signatures: [], you: { objection, may_break_glass: false } },
  }) as unknown as ApprovalView
const series = {
  id: 'ser_1', tenant: 'tnt_1', agent_name: 'executor-1', tool_name: 'write_file', server_name: 'files', operator_name: 'Ada', calls: 10, used: 3, expires: soon, reason: null, running: true, fault: null,
  schema: '{"additionalProperties":false,"properties":{"path":{"const":"a"}},"required":["path"],"type":"object"}',
} as unknown as SeriesView

const show = (element: React.ReactElement) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>{element}</QueryClientProvider>
    </MantineProvider>,
  )
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))
const press = (name: string | RegExp) => fireEvent.click(screen.getByRole('button', { name }))

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(document, 'hasFocus').mockReturnValue(true)
  vi.mocked(call).mockReset().mockResolvedValue({} as never)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('o17 a series is an act apart, and proposes exactly the arguments that were seen', async () => {
  show(<DecisionBar view={viewWith(null)} seen />)
  await pass(ARM_MS)
  press('Approve a series…')
  await pass(10)
  expect(call).not.toHaveBeenCalled()
  press('Approve and sign the series')
  await pass(10)
  // Without a schema the backend signs exactly the arguments of the call.
  expect(call).toHaveBeenCalledWith('series_sign', { tenant: 'tnt_1', approval: 'apr_1', shown: 'd'.repeat(64), calls: 9, secs: 300 })
})

test('o17 an argument is loosened one by one, on purpose', async () => {
  show(<DecisionBar view={viewWith(null)} seen />)
  await pass(ARM_MS)
  press('Approve a series…')
  fireEvent.change(screen.getByLabelText('How many more'), { target: { value: '3' } })
  fireEvent.change(screen.getByRole('combobox', { name: 'How path may differ' }), { target: { value: 'begins' } })
  fireEvent.change(screen.getByLabelText('What path begins with'), { target: { value: '' } })
  press('Approve and sign the series')
  await pass(10)
  expect(call).not.toHaveBeenCalled()
  fireEvent.change(screen.getByLabelText('What path begins with'), { target: { value: 'reports/' } })
  press('Approve and sign the series')
  await pass(10)
  const sent = vi.mocked(call).mock.calls[0]?.[1] as unknown as { calls: number; schema: string }
  expect(sent.calls).toBe(3)
  expect(JSON.parse(sent.schema).properties).toEqual({ content: { const: 'a' }, path: { type: 'string', pattern: '^reports/', not: { pattern: '\\.\\.' } } })
})

test('o17 Enter signs no series, nor is one signed before the card was seen', async () => {
  show(<DecisionBar view={viewWith(null)} seen={false} />)
  await pass(ARM_MS)
  press('Approve a series…')
  const button = screen.getByRole('button', { name: 'Approve and sign the series' })
  expect(fireEvent.keyDown(button, { key: 'Enter' })).toBe(false)
  fireEvent.click(button)
  await pass(10)
  expect(call).not.toHaveBeenCalled()
})

test('o17 no series is offered for what is signed call by call, nor to whoever may not sign', () => {
  const { unmount } = show(<DecisionBar view={viewWith('it is marked as able to send data out')} seen />)
  expect(screen.queryByRole('button', { name: 'Approve a series…' })).toBeNull()
  unmount()
  show(<DecisionBar view={viewWith(null, 'only owners and approvers sign calls')} seen />)
  expect(screen.queryByRole('button', { name: 'Approve a series…' })).toBeNull()
})

test('a running series says how far it went, and is taken back with one act', async () => {
  vi.mocked(call).mockImplementation(async (command) => (command === 'series_list' ? [series] : series) as never)
  show(<RunningSeries tenant={'tnt_1' as TenantId} waiting={false} />)
  await pass(10)
  expect(screen.getByText('3 of 10 made')).toBeTruthy()
  expect(screen.getByText('exactly "a"')).toBeTruthy()
  press('Revoke the series of 10 calls of write_file by executor-1')
  await pass(10)
  expect(call).toHaveBeenCalledWith('series_revoke', { tenant: 'tnt_1', series: 'ser_1' })
})

test('one that would pay for nothing says why', async () => {
  vi.mocked(call).mockImplementation(async () => [{ ...series, fault: 'its operator has another key by now' }] as never)
  show(<RunningSeries tenant={undefined} waiting />)
  await pass(10)
  expect(screen.getByText(/^Pays for nothing now:/).textContent).toContain('Pays for nothing now: its operator has another key by now')
})

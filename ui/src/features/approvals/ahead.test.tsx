import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { call } from '@/ipc/call'
import type { ApprovalState, ApprovalView, Signing } from '@/ipc/generated'
import { usualRule } from '@/lib/signing'
import { Ahead, mayBeAhead } from './Ahead'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const soon = new Date(Date.now() + 120_000).toISOString()
const over = (state: ApprovalState, rule: Partial<Signing> = {}, kind = 'tool') =>
  ({
    row: { id: 'apr_1', tenant: 'tnt_1', agent_name: 'executor-1', state, expires: soon }, session: 'ses_1',
    tool: { id: 'tol_1', kind, name: 'send_email' }, arguments: '{"to":"ann\u202e"}', signing: { rule: { ...usualRule, ...rule } },
  }) as unknown as ApprovalView

const show = (view: ApprovalView) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}><Ahead view={view} /></QueryClientProvider>
    </MantineProvider>,
  )
const click = (name: string | RegExp) => fireEvent.click(screen.getByRole('button', { name }))

beforeEach(() => {
  vi.mocked(call).mockReset().mockResolvedValue({ approval: { ...over('approved'), arguments: '{"to":"bea"}' }, token: 'eyJ.token.sig' } as never)
})

test('only a call that is over and takes one signature is signed ahead', () => {
  expect(mayBeAhead(over('expired'))).toBe(true)
  expect(mayBeAhead(over('denied'))).toBe(true)
  for (const state of ['pending', 'approved', 'executed', 'unknown'] as const) expect(mayBeAhead(over(state))).toBe(false)
  expect(mayBeAhead(over('expired', { approvers: 2 }))).toBe(false)
  expect(mayBeAhead(over('expired', {}, 'prompt'))).toBe(false)
})

test('o11 the arguments that are signed are those that stand in the form, with nothing hidden in them', async () => {
  show(over('expired'))
  click('Sign a call ahead…')
  const field = screen.getByLabelText('With exactly these arguments')
  expect(field).toHaveValue('{\n  "to": "ann\\u202e"\n}')
  fireEvent.change(field, { target: { value: '{"to": "bea"}' } })
  fireEvent.click(screen.getByLabelText('30 seconds'))
  click('Sign it ahead')
  expect(await screen.findByText('eyJ.token.sig')).toBeVisible()
  expect(call).toHaveBeenCalledWith('approval_issue', { tenant: 'tnt_1', session: 'ses_1', tool: 'tol_1', arguments: '{"to": "bea"}', seconds: 30 })
})

test('o12 presence and a reason are asked for ahead too', async () => {
  show(over('denied', { reason: true, presence: true }))
  click('Sign a call ahead…')
  click('Sign it ahead')
  expect(call).not.toHaveBeenCalled()
  fireEvent.change(screen.getByLabelText(/^Why you approve/), { target: { value: ' Agreed ' } })
  fireEvent.change(screen.getByLabelText(/^Your passphrase/), { target: { value: 'words' } })
  click('Sign it ahead')
  expect(await screen.findByText('eyJ.token.sig')).toBeVisible()
  expect(call).toHaveBeenCalledWith('approval_issue', expect.objectContaining({ reason: 'Agreed', passphrase: 'words' }))
})

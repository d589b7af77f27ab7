import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { call } from '@/ipc/call'
import type { ApprovalState, ApprovalView, Signing } from '@/ipc/generated'
import { usualRule } from '@/lib/signing'
import { Ahead, mayBeAhead } from './Ahead'
import { ARM_MS } from './armed'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))

const soon = new Date(Date.now() + 120_000).toISOString()
const over = (state: ApprovalState, rule: Partial<Signing> = {}, kind = 'tool') =>
  ({
    row: { id: 'apr_1', tenant: 'tnt_1', agent_name: 'executor-1', state, expires: soon }, session: 'ses_1',
    tool: { id: 'tol_1', kind, name: 'send_email', server_name: 'workbench', fingerprint: 'f'.repeat(64) }, arguments: '{"to":"ann\u202e"}', signing: { rule: { ...usualRule, ...rule } },
  }) as unknown as ApprovalView

const client = new QueryClient()
const shown = (view: ApprovalView) => (
  <MantineProvider env="test">
    <QueryClientProvider client={client}><Ahead view={view} /></QueryClientProvider>
  </MantineProvider>
)
const show = (view: ApprovalView) => render(shown(view))
const click = (name: string | RegExp) => fireEvent.click(screen.getByRole('button', { name }))
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))
const field = () => screen.getByLabelText('With exactly these arguments')
const write = (text: string) => fireEvent.change(field(), { target: { value: text } })
const sign = async () => {
  click('Sign it ahead')
  await pass(10)
}

// How tall the call is, and how much of it is in sight: jsdom lays nothing out.
let tall = 100

beforeEach(() => {
  tall = 100
  vi.useFakeTimers()
  vi.spyOn(document, 'hasFocus').mockReturnValue(true)
  vi.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(100)
  vi.spyOn(Element.prototype, 'scrollHeight', 'get').mockImplementation(() => tall)
  vi.mocked(call).mockReset().mockResolvedValue({ approval: { ...over('approved'), arguments: '{"to":"bea"}' }, token: 'eyJ.token.sig' } as never)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('only a call that is over and takes one signature is signed ahead', () => {
  expect(mayBeAhead(over('expired'))).toBe(true)
  expect(mayBeAhead(over('denied'))).toBe(true)
  for (const state of ['pending', 'approved', 'executed', 'unknown'] as const) expect(mayBeAhead(over(state))).toBe(false)
  expect(mayBeAhead(over('expired', { approvers: 2 }))).toBe(false)
  expect(mayBeAhead(over('expired', {}, 'prompt'))).toBe(false)
})

test('o11 what is signed is the canonical form that was looked at, with nothing hidden in it', async () => {
  show(over('expired'))
  click('Sign a call ahead…')
  expect(field()).toHaveValue('{\n  "to": "ann\\u202e"\n}')
  write('{"to": "bea\\u00a0", "cc": 1.50}')
  fireEvent.click(screen.getByLabelText('30 seconds'))
  expect(screen.queryByRole('button', { name: 'Sign it ahead' })).toBeNull()
  click('Look at it, then sign')
  expect(screen.getByRole('button', { name: 'Change it' })).toHaveFocus()
  expect(screen.getByRole('group', { name: 'Arguments to sign' })).toHaveTextContent('{+"cc": 1.5,new~"to": "beaU+00A0"was "annU+202E"}')
  expect(screen.getByRole('region', { name: 'The whole call to sign' })).toHaveTextContent('executor-1 may make once within 30 seconds')
  await pass(ARM_MS)
  await sign()
  expect(screen.getByText('eyJ.token.sig')).toBeVisible()
  expect(call).toHaveBeenCalledExactlyOnceWith('approval_issue', { tenant: 'tnt_1', session: 'ses_1', tool: 'tol_1', arguments: '{"cc":1.5,"to":"bea\u00a0"}', seconds: 30 })
})

test('p11 what two readers could understand in two ways is not even looked at', () => {
  show(over('expired'))
  click('Sign a call ahead…')
  write('{"to":"ann","to":"eve"}')
  click('Look at it, then sign')
  expect(screen.getByText('A key stands twice in one object')).toBeInTheDocument()
  expect(screen.queryByRole('button', { name: 'Sign it ahead' })).toBeNull()
  write('{"to":"eve"}')
  expect(screen.queryByText('A key stands twice in one object')).toBeNull()
})

test('u07 a call is signed ahead only after it was in sight for a moment, in a window in front', async () => {
  show(over('expired'))
  click('Sign a call ahead…')
  await pass(ARM_MS * 10)
  click('Look at it, then sign')
  await pass(ARM_MS - 1)
  await sign()
  expect(call).not.toHaveBeenCalled()
  vi.mocked(document.hasFocus).mockReturnValue(false)
  fireEvent.blur(window)
  await pass(ARM_MS)
  await sign()
  expect(screen.getByRole('status')).toHaveTextContent('This window is not in front')
  expect(call).not.toHaveBeenCalled()
  vi.mocked(document.hasFocus).mockReturnValue(true)
  fireEvent.focus(window)
  await pass(ARM_MS)
  await sign()
  expect(call).toHaveBeenCalledOnce()
})

test('u02 a call that was not seen whole is not signed ahead', async () => {
  tall = 300
  show(over('expired'))
  click('Sign a call ahead…')
  click('Look at it, then sign')
  await pass(ARM_MS * 10)
  await sign()
  expect(screen.getByRole('status')).toHaveTextContent('Scroll to the end of the call first')
  expect(call).not.toHaveBeenCalled()
  const whole = screen.getByRole('region', { name: 'The whole call to sign' })
  whole.scrollTop = 200
  fireEvent.scroll(whole)
  await sign()
  expect(call).not.toHaveBeenCalled()
  await pass(ARM_MS)
  await sign()
  expect(call).toHaveBeenCalledOnce()
})

test('u07 enter never signs ahead', async () => {
  show(over('expired'))
  click('Sign a call ahead…')
  click('Look at it, then sign')
  await pass(ARM_MS)
  expect(fireEvent.keyDown(screen.getByRole('button', { name: 'Sign it ahead' }), { key: 'Enter' })).toBe(false)
})

test('o11 whoever changes anything looks again', async () => {
  show(over('expired'))
  click('Sign a call ahead…')
  click('Look at it, then sign')
  await pass(ARM_MS)
  expect(screen.queryByRole('textbox')).toBeNull()
  expect(screen.queryByRole('radio')).toBeNull()
  click('Change it')
  expect(screen.queryByRole('button', { name: 'Sign it ahead' })).toBeNull()
  write('{"to":"eve"}')
  click('Look at it, then sign')
  expect(screen.getByRole('group', { name: 'Arguments to sign' })).toHaveTextContent('"to": "eve"')
  await sign()
  expect(call).not.toHaveBeenCalled()
  await pass(ARM_MS)
  await sign()
  expect(call).toHaveBeenCalledExactlyOnceWith('approval_issue', expect.objectContaining({ arguments: '{"to":"eve"}' }))
})

test('o11 a tool that becomes another under the hand is not signed for at once', async () => {
  const view = over('expired')
  const { rerender } = show(view)
  click('Sign a call ahead…')
  click('Look at it, then sign')
  await pass(ARM_MS)
  rerender(shown({ ...view, tool: { ...view.tool, fingerprint: 'e'.repeat(64) as never } }))
  await sign()
  expect(call).not.toHaveBeenCalled()
  await pass(ARM_MS)
  await sign()
  expect(call).toHaveBeenCalledOnce()
})

test('o12 presence and a reason are asked for ahead too', async () => {
  show(over('denied', { reason: true, presence: true }))
  click('Sign a call ahead…')
  click('Look at it, then sign')
  expect(screen.queryByRole('button', { name: 'Sign it ahead' })).toBeNull()
  fireEvent.change(screen.getByLabelText(/^Why you approve/), { target: { value: ' Agreed ' } })
  click('Look at it, then sign')
  expect(screen.getByText('Agreed')).toBeInTheDocument()
  await pass(ARM_MS)
  await sign()
  expect(screen.getByRole('status')).toHaveTextContent('Type your passphrase first')
  expect(call).not.toHaveBeenCalled()
  vi.mocked(call).mockRejectedValueOnce(new Error('not the passphrase'))
  fireEvent.change(screen.getByLabelText(/^Your passphrase/), { target: { value: 'wrong' } })
  await sign()
  expect(screen.getByLabelText(/^Your passphrase/)).toHaveValue('')
  fireEvent.change(screen.getByLabelText(/^Your passphrase/), { target: { value: 'words' } })
  await sign()
  expect(screen.getByText('eyJ.token.sig')).toBeVisible()
  expect(call).toHaveBeenLastCalledWith('approval_issue', expect.objectContaining({ reason: 'Agreed', passphrase: 'words' }))
})

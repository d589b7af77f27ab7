import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { fireEvent, render, screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'
import { TenantProvider } from '@/components/tenant'
import { call, type Command } from '@/ipc/call'
import type { AlertId, AlertRuleView, AlertView, TenantView } from '@/ipc/generated'
import { AlertDetail } from './AlertDetail'
import { rate } from './Attempts'
import { inOrder } from './order'
import { RuleForm } from './RuleForm'

vi.mock('@/ipc/call', () => ({ call: vi.fn() }))
vi.mock('@tanstack/react-router', () => ({ Link: ({ children }: { children: React.ReactNode }) => <a href="#x">{children}</a> }))

const tenant = { id: 'tnt_1', name: 'acme' } as unknown as TenantView
const alert = {
  id: 'alt_1', tenant: 'tnt_1', tenant_name: 'acme', rule: 'incident', class: 'AL2', severity: 'incident', title: 'Incident: many attempts in one session',
  sentence: 'robin made 5 or more attempts outside its allowlist in one session', agent: 'agt_1', agent_name: 'robin', session: 'ses_1', credential: null, count: 7,
  first: '2026-07-28T09:30:00.000Z', last: '2026-07-28T09:31:00.000Z', over: null, contained: false, state: 'open', acknowledged_by: null, at: null, note: null, correlation: 'cor_1',
} as unknown as AlertView
const limit = (value: number, least: number, most: number) => ({ value, default: value, least, most })
const rule: AlertRuleView = {
  rule: 'authn_failures', class: 'AL1', severity: 'alert', title: 'Repeated authentication failures', sentence: 'More than 3 within 60 s', everywhere: false,
  threshold: limit(3, 1, 100), window_secs: limit(60, 10, 3600), repeat_secs: limit(3600, 60, 604_800), contain: null, muted: null,
}

const calls = (command: Command) => vi.mocked(call).mock.calls.filter(([name]) => name === command)

const show = (element: React.ReactElement) =>
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <TenantProvider value={tenant}>{element}</TenantProvider>
      </QueryClientProvider>
    </MantineProvider>,
  )

beforeEach(() => {
  vi.mocked(call).mockReset().mockImplementation((async (command: Command) => (command === 'alert_show' ? { alert, events: [] } : alert)) as never)
})

test('an alert is acknowledged only with a note', async () => {
  show(<AlertDetail id={'alt_1' as AlertId} />)
  await screen.findByLabelText('Note')
  const tries = (note: string) => {
    fireEvent.change(screen.getByLabelText('Note'), { target: { value: note } })
    fireEvent.click(screen.getByRole('button', { name: 'Acknowledge' }))
  }
  for (const wrong of ['', '   ', 'x'.repeat(501)]) tries(wrong)
  expect(calls('alert_acknowledge')).toEqual([])
  tries(' a drill \n')
  await waitFor(() => expect(calls('alert_acknowledge')).toEqual([['alert_acknowledge', { alert: 'alt_1', note: 'a drill' }]]))
})

test('open incidents come first, then open alerts, then what somebody has looked at', () => {
  const of = (id: string, severity: string, state: string, last: string) => ({ id, severity, state, last }) as unknown as AlertView
  const all = [of('seen', 'incident', 'acknowledged', '9'), of('old', 'alert', 'open', '1'), of('new', 'alert', 'open', '2'), of('red', 'incident', 'open', '0')]
  expect(inOrder(all).map((one) => one.id as string)).toEqual(['red', 'new', 'old', 'seen'])
})

test('a rule is set by what was changed alone, and never outside its range', async () => {
  const closed = vi.fn()
  show(<RuleForm rule={rule} onClose={closed} />)
  const save = () => screen.getByRole('button', { name: 'Save' })
  fireEvent.click(save())
  const threshold = screen.getByLabelText('Failures that are still fine')
  for (const wrong of ['0', '101', '']) {
    fireEvent.change(threshold, { target: { value: wrong } })
    fireEvent.click(save())
  }
  expect(calls('alert_rule_set')).toEqual([])
  fireEvent.change(threshold, { target: { value: '5' } })
  fireEvent.click(save())
  await waitFor(() => expect(closed).toHaveBeenCalledOnce())
  expect(calls('alert_rule_set')).toEqual([['alert_rule_set', { tenant: 'tnt_1', rule: 'authn_failures', threshold: 5 }]])
})

test('a rule is muted only with a reason, and for a while', async () => {
  show(<RuleForm rule={rule} onClose={() => undefined} />)
  fireEvent.click(screen.getByLabelText('8 h'))
  fireEvent.click(screen.getByRole('button', { name: 'Save' }))
  expect(calls('alert_rule_set')).toEqual([])
  fireEvent.change(screen.getByLabelText('Why'), { target: { value: 'maintenance' } })
  fireEvent.click(screen.getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(calls('alert_rule_set')).toHaveLength(1))
  const [, set] = calls('alert_rule_set')[0] ?? []
  expect(set).toMatchObject({ rule: 'authn_failures', mute: { reason: 'maintenance' } })
  const { mute } = set as { mute: { until: string } }
  expect(Date.parse(mute.until) - Date.now()).toBeGreaterThan(7.9 * 3_600_000)
})

test('no session makes no attempts', () => {
  expect(rate({ attempts: 0, sessions: 0 })).toBe(0)
  expect(rate({ attempts: 3, sessions: 4 })).toBe(0.75)
})

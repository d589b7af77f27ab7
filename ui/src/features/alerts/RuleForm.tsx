import { NumberInput, SegmentedControl, Switch, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { AlertLimit, AlertRule, AlertRuleView, Timestamp } from '@/ipc/generated'
import { count } from '@/lib/format'
import css from './Alerts.module.css'

/** What the number of a rule counts. */
const counts: Partial<Record<AlertRule, string>> = {
  authn_failures: 'Failures that are still fine',
  credential_unused: 'Days without use',
  incident: 'Attempts that are an incident',
  session_overlong: 'Percent of the expected run time',
}

const spans = [
  { value: 'no', label: 'Not muted', hours: 0 },
  { value: '1', label: '1 h', hours: 1 },
  { value: '8', label: '8 h', hours: 8 },
  { value: '24', label: '1 d', hours: 24 },
  { value: '168', label: '7 d', hours: 168 },
]

/** Sets the numbers of a rule, and mutes it for a while. */
export function RuleForm({ rule, onClose }: { rule: AlertRuleView; onClose: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [threshold, setThreshold] = useState(rule.threshold?.value)
  const [window, setWindow] = useState(rule.window_secs?.value)
  const [repeat, setRepeat] = useState(rule.repeat_secs.value)
  const [contain, setContain] = useState(rule.contain ?? false)
  const [muted, setMuted] = useState(rule.muted === null ? 'no' : 'as')
  const [reason, setReason] = useState('')
  const hours = spans.find((span) => span.value === muted)?.hours ?? 0
  const change = {
    ...(threshold !== rule.threshold?.value && threshold !== undefined && { threshold }),
    ...(window !== rule.window_secs?.value && window !== undefined && { window_secs: window }),
    ...(repeat !== rule.repeat_secs.value && { repeat_secs: repeat }),
    ...(rule.contain !== null && contain !== rule.contain && { contain }),
    ...(rule.muted !== null && muted === 'no' && { unmute: true }),
  }
  const save = useMutation({
    mutationFn: () =>
      call('alert_rule_set', {
        tenant: tenant.id, rule: rule.rule, ...change,
        ...(hours > 0 && { mute: { until: new Date(Date.now() + hours * 3_600_000).toISOString() as Timestamp, reason: reason.trim() } }),
      }),
    onSuccess: async () => {
      tellDone(`${rule.title}: set${rule.everywhere ? ' for the whole installation' : ''}`)
      await queryClient.invalidateQueries()
      onClose()
    },
  })
  const problem = problemOf(rule, { threshold, window, repeat }) ?? (hours > 0 && reason.trim() === '' ? 'Say why it is muted' : undefined) ?? (Object.keys(change).length === 0 && hours === 0 ? 'Nothing is changed yet' : undefined)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) save.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      <p className="dim">{rule.sentence}.{rule.everywhere ? ' It is set for the whole installation.' : ''}</p>
      {rule.threshold ? <Limit label={counts[rule.rule] ?? 'Number'} limit={rule.threshold} value={threshold} onChange={setThreshold} autoFocus /> : null}
      {rule.window_secs ? <Limit label="Within how many seconds" limit={rule.window_secs} value={window} onChange={setWindow} /> : null}
      <Limit label="Seconds for which the same again is the same alert" limit={rule.repeat_secs} value={repeat} onChange={(value) => setRepeat(value ?? 0)} />
      {rule.contain === null ? null : (
        <Switch label="End the session and suspend its credential when it fires" checked={contain} onChange={(event) => setContain(event.currentTarget.checked)} />
      )}
      <div className="stack tight">
        <span className={css.label} id="mute">Mute it{rule.muted ? <>: it is muted until <Time at={rule.muted.until} /> ({rule.muted.reason})</> : null}</span>
        <SegmentedControl size="xs" aria-labelledby="mute" transitionDuration={0} value={muted} onChange={setMuted} data={[...(rule.muted ? [{ value: 'as', label: 'As it is' }] : []), ...spans.map(({ value, label }) => ({ value, label }))]} />
      </div>
      {hours > 0 ? <TextInput label="Why" description="For the record. What the rule would have found stays in the log." value={reason} onChange={(event) => setReason(event.currentTarget.value)} maxLength={500} /> : null}
      {save.error ? <Problem error={save.error} /> : null}
      <div className="row spread">
        <Act onClick={onClose}>Cancel</Act>
        <Act type="submit" tone="primary" loading={save.isPending} disabledReason={problem}>Save</Act>
      </div>
    </form>
  )
}

type LimitProps = { label: string; limit: AlertLimit; value: number | undefined; onChange: (value: number | undefined) => void; autoFocus?: boolean }

function Limit({ label, limit, value, onChange, autoFocus = false }: LimitProps) {
  return (
    <NumberInput label={label} description={`${count(limit.least)} to ${count(limit.most)}; ${count(limit.default)} unless it is set`} allowDecimal={false} allowNegative={false} {...(autoFocus && { 'data-autofocus': true })}
      value={value ?? ''} onChange={(next) => onChange(typeof next === 'number' ? next : undefined)} error={outside(limit, value)} />
  )
}

function outside(limit: AlertLimit | null, value: number | undefined): string | undefined {
  if (!limit) return undefined
  return value === undefined || value < limit.least || value > limit.most ? `Between ${count(limit.least)} and ${count(limit.most)}` : undefined
}

function problemOf(rule: AlertRuleView, { threshold, window, repeat }: { threshold: number | undefined; window: number | undefined; repeat: number }) {
  return outside(rule.threshold, threshold) ?? outside(rule.window_secs, window) ?? outside(rule.repeat_secs, repeat)
}

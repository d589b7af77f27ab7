import { Tooltip } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { CopyButton } from '@/components/Copy'
import { useEnforced } from '@/components/enforced'
import { IconLock, IconLockOpen } from '@/components/icons'
import { tellFailed } from '@/components/notices'
import { useNow } from '@/components/Time'
import { call } from '@/ipc/call'
import type { AttachedView, GatewayView, StatusView } from '@/ipc/generated'
import { status as statusQuery } from '@/ipc/queries'
import { count, duration } from '@/lib/format'
import css from './StatusStrip.module.css'

/** One line that is always true: the gateway, the policy in force, traffic, who is there. */
export function StatusStrip({ status }: { status: StatusView }) {
  return (
    <div className={css.strip}>
      {status.attached ? <Elsewhere attached={status.attached} /> : null}
      <Gateway gateway={status.gateway} />
      <Policy version={status.policy_version} />
      <span className={css.item} title="Calls in the last minute">
        <b>{count(status.calls_per_minute)}</b> calls/min
      </span>
      <span className={css.item} data-asked={status.waiting_approvals > 0 || undefined}>
        <b>{count(status.waiting_approvals)}</b> waiting
      </span>
      <span className="grow" />
      <Operator status={status} />
    </div>
  )
}

function Elsewhere({ attached }: { attached: AttachedView }) {
  return (
    <Tooltip label={`This is console ${attached.console_name} of ${attached.operator_name}; the gateway is on another machine`}>
      <span className={css.item} data-attached={attached.connected ? 'yes' : 'no'} tabIndex={0}>
        attached to <code>{attached.address}</code>
      </span>
    </Tooltip>
  )
}

const stateWord: Record<GatewayView['state'], string> = {
  serving: 'serving',
  refusing: 'refuses every call',
  stopped: 'stopped',
  failed: 'not serving',
}

function Gateway({ gateway }: { gateway: GatewayView }) {
  const address = gateway.url?.replace(/^https?:\/\//, '')
  return (
    <Tooltip
      label={gateway.problem ?? `The gateway runs ${gateway.embedded ? 'in this app' : 'in countersign serve'}${gateway.url ? `, at ${gateway.url}` : ''}`}
    >
      <span className={css.item} data-gateway={gateway.state} tabIndex={0}>
        <span className={css.dot} aria-hidden />
        <span><span className={css.word}>Gateway </span>{stateWord[gateway.state]}</span>
        {address ? <code>{address}</code> : null}
        {gateway.url ? <CopyButton text={gateway.url} label="Copy the gateway's address" /> : null}
      </span>
    </Tooltip>
  )
}

const FRESH_MS = 8_000

function Policy({ version }: { version: number }) {
  const enforced = useEnforced()
  const now = useNow(1_000)
  const fresh = enforced !== null && enforced.version >= version && now - enforced.at < FRESH_MS
  return (
    <span className={css.item} data-fresh={fresh || undefined} role="status" aria-live="polite">
      version <b>{count(fresh ? enforced.version : version)}</b> enforced
      {fresh ? <span className={css.took}>in {enforced.tookMs} ms</span> : null}
    </span>
  )
}

function Operator({ status }: { status: StatusView }) {
  const queryClient = useQueryClient()
  const now = useNow(5_000)
  const lock = useMutation({
    mutationFn: () => call('lock'),
    onSuccess: (answer) => queryClient.setQueryData(statusQuery().queryKey, answer),
    onError: tellFailed,
  })
  if (status.operator === null) {
    return (
      <span className={css.item}>
        <IconLock size={14} /> {status.phase === 'first_run' ? 'not set up' : 'locked'}
      </span>
    )
  }
  const left = status.locks_at === null ? null : (Date.parse(status.locks_at) - now) / 1000
  return (
    <Tooltip label={`Lock now${left === null ? '' : `. Locks by itself in ${duration(left)} without activity`}`}>
      <button type="button" className={css.operator} onClick={() => lock.mutate()} aria-label={`Unlocked by ${status.operator.name}. Lock now`}>
        <IconLockOpen size={14} />
        <span className="ellipsis">{status.operator.name}</span>
      </button>
    </Tooltip>
  )
}

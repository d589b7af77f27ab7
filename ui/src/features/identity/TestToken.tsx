import { Select, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { IconCircleCheck, IconX } from '@/components/icons'
import { Mark, type Tone } from '@/components/Mark'
import { Problem } from '@/components/Problem'
import { Sentence } from '@/components/Sentence'
import { useTenant } from '@/components/tenant'
import { Untrusted } from '@/components/Untrusted'
import { call } from '@/ipc/call'
import type { ProviderView, TaskId, TokenCheck, TokenReport } from '@/ipc/generated'
import { taskList } from '@/ipc/queries'
import { plural } from '@/lib/format'
import css from './Identity.module.css'

type Props = { providers: ProviderView[]; provider: ProviderView; onChoose: (provider: string) => void; onClose: () => void }

/** What the gateway would make of a token: every check and its verdict. Nothing is let in by it. */
export function TestToken({ providers, provider, onChoose, onClose }: Props) {
  return (
    <Dialog onClose={onClose} title="Test a token" size={760} closeOnClickOutside={false}>
      <Panel key={provider.id} providers={providers} provider={provider} onChoose={onChoose} />
    </Dialog>
  )
}

type Tested = { report: TokenReport } | { error: unknown }

function Panel({ providers, provider, onChoose }: Omit<Props, 'onClose'>) {
  const tenant = useTenant()
  const tasks = useQuery(taskList(tenant.id))
  // The token stays in its field: in no state, no cache and no address. It goes with the panel.
  const field = useRef<HTMLTextAreaElement>(null)
  const result = useRef<HTMLDivElement>(null)
  const [task, setTask] = useState<string | null>(null)
  const [there, setThere] = useState(false)
  const [busy, setBusy] = useState(false)
  const [tested, setTested] = useState<Tested | null>(null)
  useEffect(() => {
    const area = field.current
    return () => {
      if (area) area.value = ''
    }
  }, [])
  useEffect(() => {
    if (tested) result.current?.focus()
  }, [tested])
  const test = async () => {
    setBusy(true)
    setTested(null)
    try {
      const report = await call('provider_test', { tenant: tenant.id, provider: provider.id, token: field.current?.value.trim() ?? '', ...(task && { task: task as TaskId }) })
      setTested({ report })
    } catch (error) {
      setTested({ error })
    } finally {
      setBusy(false)
    }
  }
  const clear = () => {
    if (field.current) field.current.value = ''
    setThere(false)
    setTested(null)
    field.current?.focus()
  }
  return (
    <div className="stack">
      <div className={css.pair}>
        <Select label="As a token of" allowDeselect={false} data={providers.map((one) => ({ value: one.id, label: one.name }))} value={provider.id} onChange={(id) => id && onChoose(id)} />
        <Select label="Presented at the endpoint of" clearable placeholder="the tenant, without a task" value={task} onChange={setTask} data={(tasks.data ?? []).map((one) => ({ value: one.id, label: `task ${one.name}` }))} />
      </div>
      <Textarea ref={field} label="Token" description="Masked, kept nowhere, and gone when you leave. A token that is still valid is a secret: test with one that is about to expire." rows={3} data-autofocus
        autoComplete="off" autoCorrect="off" autoCapitalize="off" spellCheck={false} className={css.token ?? ''} onChange={(event) => setThere(event.currentTarget.value.trim() !== '')} />
      <div className="row spread">
        <Act onClick={clear} disabledReason={there ? undefined : 'There is nothing to clear'}>Clear</Act>
        <Act tone="primary" onClick={() => void test()} loading={busy} disabledReason={there ? undefined : 'Paste a token first'}>Check it</Act>
      </div>
      <div ref={result} tabIndex={-1} role="status" className={`stack ${css.result}`} aria-label="Result">
        {tested && 'report' in tested ? <Report report={tested.report} /> : null}
        {tested && 'error' in tested ? <Problem error={tested.error} /> : null}
      </div>
    </div>
  )
}

function Report({ report }: { report: TokenReport }) {
  const tenant = useTenant()
  const failed = report.checks.filter((check) => check.passed === false).length
  return (
    <>
      <div className={css.verdict} data-holds={report.verdict}>
        <h2>
          {report.verdict ? <IconCircleCheck size={18} aria-hidden /> : <IconX size={18} aria-hidden />}
          {report.verdict ? 'It would be accepted' : `It would be refused${failed > 0 ? `: ${plural(failed, 'check')} ${failed === 1 ? 'fails' : 'fail'}` : ''}`}
        </h2>
        <dl className="facts">
          <dt>Agent</dt>
          <dd>{report.agent === null ? 'nobody who is registered here' : <Link to="/t/$tenant/agents" params={{ tenant: tenant.name }} search={{ agent: report.agent } as never}>{report.agent_name ?? report.agent}</Link>}</dd>
          {report.agent === null ? null : (
            <>
              <dt>Roles</dt><dd><Untrusted text={report.roles === null ? 'all that the agent has' : report.roles.join(', ') || 'none: it would have no tools'} /></dd>
              <dt>Tasks</dt><dd><Untrusted text={report.tasks.join(', ') || 'none: it would have no tools'} /></dd>
            </>
          )}
          <dt>Scopes</dt><dd><Untrusted text={report.scopes.join(', ') || 'none'} mono /></dd>
        </dl>
      </div>
      <ul className={`panel ${css.checks}`} aria-label="Checks, in order">
        {report.checks.map((check) => (
          <li key={check.name} className={css.check} data-passed={String(check.passed)}>
            <CheckMark check={check} />
            <Untrusted text={check.name} />
            <span><Sentence text={check.detail} /></span>
          </li>
        ))}
      </ul>
    </>
  )
}

function CheckMark({ check: { passed } }: { check: TokenCheck }) {
  const [tone, word]: [Tone, string] = passed === null ? ['plain', 'Not checked'] : passed ? ['good', 'Holds'] : ['bad', 'Fails']
  return <Mark tone={tone}>{word}</Mark>
}

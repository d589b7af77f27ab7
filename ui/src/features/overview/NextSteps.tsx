import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { IconCircle, IconCircleCheck } from '@/components/icons'
import { Section } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import type { OverviewView } from '@/ipc/generated'
import { agentList, approvalWeek } from '@/ipc/queries'
import css from './OverviewPage.module.css'

type Step = { done: boolean; title: string; hint: string; link: ReactNode }

/** The way from an empty tenant to the first countersigned call. Gone once it was walked. */
export function NextSteps({ now }: { now: OverviewView }) {
  const tenant = useTenant()
  const agents = useQuery(agentList(tenant.id))
  const week = useQuery(approvalWeek(tenant.id))
  if (!agents.data || !week.data) return null
  const keys = agents.data.flatMap((agent) => agent.credentials)
  const calls = now.hours.some((hour) => hour.allow + hour.deny + hour.hold > 0) || keys.some((key) => key.last_used !== null)
  const to = { tenant: tenant.name }
  const steps: Step[] = [
    {
      done: now.counts.tools > 0,
      title: 'Put a server behind the gateway',
      hint: 'Its tools become rows of the matrix.',
      link: <Link to="/t/$tenant/servers" params={to} search={{ new: '1' } as never}>Add a server</Link>,
    },
    {
      done: now.counts.agents > 0 && now.counts.tasks > 0,
      title: 'Say who works on what',
      hint: 'An agent has roles, and tasks that bound which tools it may use.',
      link: now.counts.tasks > 0
        ? <Link to="/t/$tenant/agents" params={to} search={{ new: '1' } as never}>Create an agent</Link>
        : <Link to="/t/$tenant/tasks" params={to} search={{ new: '1' } as never}>Create a task</Link>,
    },
    {
      done: keys.some((key) => key.state === 'active'),
      title: 'Issue a key and connect the agent',
      hint: 'The key is shown once, with a ready configuration for its client.',
      link: <Link to="/t/$tenant/agents" params={to}>Issue a key</Link>,
    },
    {
      done: calls,
      title: 'See its first call',
      hint: 'Whatever it tries appears in the audit log, refused or not.',
      link: <Link to="/t/$tenant/audit" params={to}>Open the audit log</Link>,
    },
    {
      done: week.data.approved > 0,
      title: 'Countersign a call',
      hint: 'Set a tool to Token; the agent’s next call of it waits for your signature.',
      link: <Link to="/t/$tenant/matrix" params={to}>Open the matrix</Link>,
    },
  ]
  const next = steps.findIndex((step) => !step.done)
  if (next === -1) return null
  return (
    <Section title="Next steps">
      <ol className={`panel ${css.steps}`} style={{ margin: 0, padding: 0, listStyle: 'none' }}>
        {steps.map((step, index) => (
          <li key={step.title} className={css.step} data-done={step.done || undefined} data-next={index === next || undefined}>
            {step.done ? <IconCircleCheck size={18} /> : <IconCircle size={18} />}
            <span className="grow">
              <b>{step.title}</b>
              <span className="visually-hidden">{step.done ? ' (done)' : ''}</span>
              <span className="dim"> · {step.hint}</span>
            </span>
            {step.done ? null : <span className="nowrap">{step.link}</span>}
          </li>
        ))}
      </ol>
    </Section>
  )
}

import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Section } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import type { AlertMetric, AlertMetricAgent } from '@/ipc/generated'
import { alertMetric } from '@/ipc/queries'
import { count, plural } from '@/lib/format'
import css from './Alerts.module.css'

const DAYS = 14
const WIDTH = 480
const HEIGHT = 92

/** Attempts for each session, to a place that still tells something. */
export const rate = ({ attempts, sessions }: { attempts: number; sessions: number }) => (sessions === 0 ? 0 : attempts / sessions)
const shown = (value: number) => (value === 0 ? '0' : value < 0.01 ? '< 0.01' : value.toFixed(2))

/** Unauthorized attempts for each session of an agent: near zero when all is well. */
export function Attempts() {
  const tenant = useTenant()
  const query = useQuery(alertMetric(tenant.id, DAYS))
  const columns = useMemo(() => columnsWith(), [])
  return (
    <Loaded query={query}>
      {(metric) => (
        <div className="stack wide">
          <Section title={`Attempts per session, last ${DAYS} days`}><Bars metric={metric} /></Section>
          <Section title="By agent">
            <DataTable label="Attempts by agent" rows={metric.agents} columns={columns} rowKey={(agent) => agent.agent}
              empty={<Empty title="No session yet">How often each agent tries what it was not given is counted here, for each of its sessions.</Empty>} />
          </Section>
        </div>
      )}
    </Loaded>
  )
}

function Bars({ metric }: { metric: AlertMetric }) {
  const most = Math.max(1, ...metric.days.map(rate))
  const step = WIDTH / Math.max(1, metric.days.length)
  const all = metric.days.reduce((sum, day) => ({ attempts: sum.attempts + day.attempts, sessions: sum.sessions + day.sessions }), { attempts: 0, sessions: 0 })
  return (
    <figure className={`panel ${css.bars}`}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${plural(all.attempts, 'attempt')} in ${plural(all.sessions, 'session')}: ${shown(rate(all))} per session`}>
        <line x1="0" y1={HEIGHT - 0.5} x2={WIDTH} y2={HEIGHT - 0.5} />
        {metric.days.map((day, index) => {
          const height = (rate(day) / most) * (HEIGHT - 6)
          return height > 0 ? (
            <rect key={day.day} x={index * step + 2} y={HEIGHT - 1 - Math.max(1, height)} width={step - 4} height={Math.max(1, height)}>
              <title>{`${day.day.slice(0, 10)}: ${plural(day.attempts, 'attempt')} in ${plural(day.sessions, 'session')}`}</title>
            </rect>
          ) : null
        })}
      </svg>
      <div className={css.axis} aria-hidden>
        <span>{metric.since.slice(0, 10)}</span>
        <span>most in a day: {shown(Math.max(0, ...metric.days.map(rate)))}</span>
        <span>today</span>
      </div>
      <figcaption className="dim small">{plural(all.attempts, 'attempt')} outside an allowlist in {plural(all.sessions, 'session')}: <b>{shown(rate(all))}</b> per session. Near zero is healthy.</figcaption>
    </figure>
  )
}

const columnsWith = (): Column<AlertMetricAgent>[] => [
  { id: 'agent', title: 'Agent', value: (agent) => agent.agent_name, cell: (agent) => agent.agent_name },
  { id: 'sessions', title: 'Sessions', align: 'end', value: (agent) => agent.sessions, cell: (agent) => count(agent.sessions) },
  { id: 'attempts', title: 'Attempts', align: 'end', value: (agent) => agent.attempts, cell: (agent) => count(agent.attempts) },
  { id: 'rate', title: 'Per session', align: 'end', value: rate, cell: (agent) => shown(rate(agent)) },
]

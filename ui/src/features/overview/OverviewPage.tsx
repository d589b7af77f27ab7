import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Empty } from '@/components/Empty'
import { EventRow } from '@/components/EventRow'
import { HealthMark } from '@/components/Health'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { OneLine } from '@/components/OneLine'
import { Page, Section } from '@/components/Page'
import { Sentence } from '@/components/Sentence'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import type { AlertView, ApprovalRow, OverviewView, ServerView } from '@/ipc/generated'
import { openApprovalWindow } from '@/ipc/windows'
import { overview } from '@/ipc/queries'
import { count } from '@/lib/format'
import { tellFailed } from '@/components/notices'
import { Act } from '@/components/Act'
import { Hours } from './Hours'
import { NextSteps } from './NextSteps'
import css from './OverviewPage.module.css'

/** What needs a person now, and whether all is well. */
export function OverviewPage() {
  const tenant = useTenant()
  const query = useQuery(overview(tenant.id))
  return (
    <Page title="Overview">
      <Loaded query={query}>{(now) => <Overview now={now} />}</Loaded>
    </Page>
  )
}

function Overview({ now }: { now: OverviewView }) {
  const tenant = useTenant()
  const to = { tenant: tenant.name }
  return (
    <>
      <NextSteps now={now} />
      <div className={css.counts}>
        <Count value={now.counts.live_sessions} one="live session" to="/t/$tenant/sessions" />
        <Count value={now.counts.agents} one="agent" to="/t/$tenant/agents" />
        <Count value={now.counts.tools} one="tool" to="/t/$tenant/servers" />
        <Count value={now.counts.tasks} one="task" to="/t/$tenant/tasks" />
      </div>
      <div className={css.columns}>
        <div className="stack wide">
          <Section title="Waiting for a person" aside={<Link to="/t/$tenant/approvals" params={to}>All approvals</Link>}>
            <Waiting rows={now.waiting} />
          </Section>
          <Section title="Last anomalies" aside={<Link to="/t/$tenant/alerts" params={to}>All alerts</Link>}>
            <Anomalies now={now} />
          </Section>
        </div>
        <div className="stack wide">
          <Section title="Decisions of the last 24 hours">
            <Hours hours={now.hours} />
          </Section>
          <Section title="Servers" aside={<Link to="/t/$tenant/servers" params={to}>All servers</Link>}>
            <Servers servers={now.servers} />
          </Section>
        </div>
      </div>
    </>
  )
}

type CountProps = {
  value: number
  one: string
  to: '/t/$tenant/sessions' | '/t/$tenant/agents' | '/t/$tenant/servers' | '/t/$tenant/tasks'
}

function Count({ value, one, to }: CountProps) {
  const tenant = useTenant()
  return (
    <Link to={to} params={{ tenant: tenant.name }} className={css.count ?? ''}>
      <b>{count(value)}</b> <span className="dim">{value === 1 ? one : `${one}s`}</span>
    </Link>
  )
}

/** Open alerts; where there are none, the last attempts outside an allowlist. */
function Anomalies({ now }: { now: OverviewView }) {
  const tenant = useTenant()
  if (now.alerts.length > 0) return <div className="panel">{now.alerts.map((alert) => <OpenAlert key={alert.id} alert={alert} />)}</div>
  return (
    <div className="panel">
      {now.anomalies.length === 0 ? (
        <Empty title="None">No agent has tried anything that it was not given.</Empty>
      ) : (
        now.anomalies.map((row) => <EventRow key={row.seq} row={row} tenant={tenant.name} />)
      )}
    </div>
  )
}

function OpenAlert({ alert }: { alert: AlertView }) {
  const tenant = useTenant()
  return (
    <Link to="/t/$tenant/alerts" params={{ tenant: tenant.name }} search={{ alert: alert.id } as never} className={css.alert ?? ''}>
      <Mark tone={alert.severity === 'incident' ? 'bad' : 'care'}>{alert.severity === 'incident' ? 'Incident' : 'Alert'}</Mark>
      <span className="grow ellipsis"><Sentence text={alert.sentence} /></span>
      <span className="dim small nowrap">{alert.count > 1 ? `${count(alert.count)} times, ` : ''}<Time at={alert.last} /></span>
    </Link>
  )
}

function Waiting({ rows }: { rows: ApprovalRow[] }) {
  return (
    <div className="panel">
      {rows.length === 0 ? (
        <Empty title="Nobody waits">A call of a tool that is set to Token appears here, until you sign or deny it.</Empty>
      ) : (
        rows.map((row) => (
          <div key={row.id} className={css.waiting}>
            <div className="grow stack tight">
              <span className={css.call}>
                <b><OneLine text={row.tool_name} /></b> <span className="dim nowrap">on</span> <span className="nowrap">{row.server_name}</span>
              </span>
              <span className="dim small ellipsis">
                {row.agent_name} · task {row.task_name} · asked <Time at={row.requested} />
              </span>
            </div>
            <Act onClick={() => void openApprovalWindow(row.tenant, row.id).catch(tellFailed)}>Decide</Act>
          </div>
        ))
      )}
    </div>
  )
}

function Servers({ servers }: { servers: ServerView[] }) {
  const tenant = useTenant()
  if (servers.length === 0) {
    return <div className="panel"><Empty title="No server yet">Put the first MCP server behind the gateway.</Empty></div>
  }
  return (
    <div className="panel">
      {servers.map((server) => (
        <div key={server.id} className={css.server}>
          <Link to="/t/$tenant/servers/$server" params={{ tenant: tenant.name, server: server.id }} className="grow ellipsis">{server.name}</Link>
          <span className="dim small nowrap">{count(server.enabled_tools)} of {count(server.tools)} tools</span>
          <span className={css.health}><HealthMark server={server} /></span>
        </div>
      ))}
    </div>
  )
}

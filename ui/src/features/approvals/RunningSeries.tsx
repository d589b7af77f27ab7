import { useMediaQuery } from '@mantine/hooks'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Act } from '@/components/Act'
import { JsonView } from '@/components/JsonView'
import { Mark } from '@/components/Mark'
import { OneLine } from '@/components/OneLine'
import { Problem } from '@/components/Problem'
import { Sentence } from '@/components/Sentence'
import { useNow } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import { call } from '@/ipc/call'
import type { SeriesView, TenantId } from '@/ipc/generated'
import { seriesList } from '@/ipc/queries'
import { count, duration, exactUtc } from '@/lib/format'
import { inWords } from '@/lib/series'
import css from './Approvals.module.css'

const SMALL = '(max-width: 1100px), (max-height: 760px)'

/** The series that pay for calls without asking again: what each is for, how far it went, and an end to it. */
export function RunningSeries({ tenant, waiting }: { tenant: TenantId | undefined; waiting: boolean }) {
  const small = useMediaQuery(SMALL)
  const query = useQuery(seriesList(tenant))
  if (query.error) return <Problem error={query.error} />
  if (!query.data || query.data.length === 0) return null
  const rows = query.data.map((one) => <Running key={one.id} series={one} />)
  // Where there is little room, the calls that wait have it.
  if (waiting && small) {
    const idle = query.data.filter((one) => one.fault).length
    return (
      <section className={`panel ${css.running}`}>
        <details className={css.folded}>
          <summary>{query.data.length === 1 ? 'One series runs' : `${count(query.data.length)} series run`}{idle > 0 ? <Mark tone="care">{idle === 1 ? 'one pays for nothing now' : `${count(idle)} pay for nothing now`}</Mark> : null}</summary>
          <ul>{rows}</ul>
        </details>
      </section>
    )
  }
  return (
    <section className={`panel ${css.running}`} aria-labelledby="running-series">
      <h2 id="running-series" className={css.part}>Running series</h2>
      <ul>{rows}</ul>
    </section>
  )
}

function Running({ series }: { series: SeriesView }) {
  const queryClient = useQueryClient()
  const now = useNow(1_000)
  const revoke = useMutation({
    mutationFn: () => call('series_revoke', { tenant: series.tenant, series: series.id }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['approvals'] }),
  })
  const left = Math.max(0, (Date.parse(series.expires) - now) / 1000)
  const what = `${series.calls} ${series.calls === 1 ? 'call' : 'calls'} of ${series.tool_name} by ${series.agent_name}`
  return (
    <li>
      <div className={css.runningHead}>
        <span className={css.runningWhat}><b>{series.agent_name}</b> <span className="dim">may call</span> <OneLine text={series.tool_name} /> <span className="dim">on {series.server_name}</span></span>
        <span className="nowrap">{series.used} of {series.calls} made</span>
        <span className="dim nowrap" title={`Until ${exactUtc(series.expires)}`}>{duration(left)} left</span>
        <Act onClick={() => revoke.mutate()} loading={revoke.isPending} aria-label={`Revoke the series of ${what}`}>Revoke</Act>
      </div>
      {series.fault ? <Mark tone="care"><span>Pays for nothing now: <Sentence text={series.fault} /></span></Mark> : null}
      <details>
        <summary className="small"><span className="dim">signed by {series.operator_name}{series.reason ? <>: <Untrusted text={series.reason} /></> : null}</span> · with which arguments</summary>
        <Arguments schema={series.schema} />
      </details>
      {revoke.error ? <Problem error={revoke.error} /> : null}
    </li>
  )
}

function Arguments({ schema }: { schema: string | null }) {
  if (schema === null) return <span className="dim small">What agents send is shown to those who decide and to auditors.</span>
  const rules = inWords(schema)
  if (rules === null) return <JsonView source={schema} label="What the arguments satisfy" />
  if (rules.length === 0) return <span className="dim small">none</span>
  return (
    <dl className={`facts small ${css.runningRules}`}>
      {rules.map(({ name, rule }) => (
        <div key={name} style={{ display: 'contents' }}><dt><Untrusted text={name} mono /></dt><dd><Untrusted text={rule} mono /></dd></div>
      ))}
    </dl>
  )
}

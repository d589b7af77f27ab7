import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Section } from '@/components/Page'
import { Sentence } from '@/components/Sentence'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import type { AuthnFailure, AuthnMethod, AuthnOverview } from '@/ipc/generated'
import { authnOverview } from '@/ipc/queries'
import { count, exactUtc } from '@/lib/format'
import css from './Identity.module.css'
import { methodWord } from './labels'

/** Who was let in and who was turned away in the last 24 hours. Asked again with every event on record. */
export function Authentication() {
  const tenant = useTenant()
  const query = useQuery(authnOverview(tenant.id))
  return <Loaded query={query}>{(view) => <Overview view={view} />}</Loaded>
}

function Overview({ view }: { view: AuthnOverview }) {
  const tenant = useTenant()
  const methods = useMemo(() => methodColumns(Math.max(1, ...view.methods.flatMap((one) => [one.accepted, one.refused]))), [view])
  const failures = useMemo(() => failureColumns(Math.max(1, ...view.failures.map((one) => one.count)), tenant.name), [view, tenant.name])
  const audit = <Link to="/t/$tenant/audit" params={{ tenant: tenant.name }} search={{ kind: 'access' } as never}>All on record</Link>
  return (
    <div className="stack wide">
      <Section title="By method" aside={<span className="dim small">since {exactUtc(view.since).slice(0, 16)} UTC</span>}>
        <DataTable label="Authentication by method" rows={view.methods} columns={methods} rowKey={(one) => one.method}
          empty={<Empty title="Nobody has called">What agents prove themselves with, and how often it was accepted, is counted here.</Empty>} />
      </Section>
      <Section title="Turned away" aside={audit}>
        <DataTable label="Failures by reason" rows={view.failures} columns={failures} rowKey={(one) => one.reason}
          empty={<Empty title="Nobody was turned away">Requests whose credential did not hold appear here by reason. The caller is never told which part was wrong.</Empty>} />
      </Section>
    </div>
  )
}

function Amount({ value, most, kind }: { value: number; most: number; kind: 'accepted' | 'refused' }) {
  return (
    <div className={css.amount}>
      <span>{count(value)}</span>
      <div className={css.bar} data-kind={kind} data-none={value === 0 || undefined} style={{ width: `${(value / most) * 100}%` }} aria-hidden />
    </div>
  )
}

const methodColumns = (most: number): Column<AuthnMethod>[] => [
  { id: 'method', title: 'Method', width: '24%', value: (one) => methodWord[one.method] ?? one.method, cell: (one) => methodWord[one.method] ?? one.method },
  { id: 'accepted', title: 'Accepted', value: (one) => one.accepted, cell: (one) => <Amount value={one.accepted} most={most} kind="accepted" /> },
  { id: 'refused', title: 'Refused', value: (one) => one.refused, cell: (one) => <Amount value={one.refused} most={most} kind="refused" /> },
  { id: 'last', title: 'Last', width: 110, value: (one) => one.last ?? '', cell: (one) => <Time at={one.last} /> },
]

const failureColumns = (most: number, tenant: string): Column<AuthnFailure>[] => [
  {
    id: 'reason', title: 'Reason', value: (one) => one.sentence,
    cell: (one) => <div className="stack tight" style={{ gap: 0 }}><span><Sentence text={one.sentence} /></span><code className="dim">{one.reason}</code></div>,
  },
  { id: 'count', title: 'Times', width: 140, value: (one) => one.count, cell: (one) => <Amount value={one.count} most={most} kind="refused" /> },
  { id: 'claimed', title: 'The newest claimed to be', width: '32%', value: (one) => one.claimed ?? '', cell: (one) => <Claimed failure={one} /> },
  { id: 'last', title: 'Last', value: (one) => one.last, cell: (one) => <Time at={one.last} /> },
  {
    id: 'audit', title: '', align: 'end',
    cell: (one) => <Link to="/t/$tenant/audit" params={{ tenant }} search={{ kind: 'access', q: one.reason, everywhere: '1' } as never} aria-label={`On record: ${one.reason}`} className="nowrap">On record</Link>,
  },
]

/** Who the newest one said that it was: its words, no fact. */
function Claimed({ failure: { claimed, client } }: { failure: AuthnFailure }) {
  return (
    <div className="stack tight" style={{ gap: 0 }}>
      {claimed === null ? <span className="dim">nobody</span> : <span className={css.clamp} title={claimed}><Untrusted text={claimed} /></span>}
      <span className="dim small">{client === null ? 'from an unknown address' : <>from <span className="mono">{client}</span></>}</span>
    </div>
  )
}

import { Select, TextInput } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { Act } from '@/components/Act'
import { useAddress, type Address } from '@/components/address'
import { kindWord } from '@/components/credential'
import { Empty } from '@/components/Empty'
import { IconSearch } from '@/components/icons'
import { Waiting } from '@/components/Loaded'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import type { AgentId, CredentialFilter, CredentialKind, CredentialOrder, CredentialPageView, CredentialStage } from '@/ipc/generated'
import { agentList, credentialPages } from '@/ipc/queries'
import { count } from '@/lib/format'
import css from './Credentials.module.css'
import { CredentialTable } from './CredentialTable'
import { stageMeaning, stages, stageWord } from './words'

const orders: CredentialOrder[] = ['agent', 'created', 'ends', 'next', 'used']

/** The filter, the order and whether it is turned round, as the address has them. */
export function wantedOf(address: Address): { filter: CredentialFilter; order: CredentialOrder; reversed: boolean } {
  const stage = stages.find((one) => one === address.stage)
  const kind = address.kind && address.kind in kindWord ? (address.kind as CredentialKind) : undefined
  const filter = { ...(stage && { stage }), ...(kind && { kind }), ...(address.agent && { agent: address.agent as AgentId }), ...(address.q?.trim() && { text: address.q.trim() }) }
  return { filter, order: orders.find((one) => one === address.sort) ?? 'next', reversed: address.dir === 'desc' }
}

/** Every credential of the tenant, filtered and sorted by the core. */
export function Inventory() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const wanted = useMemo(() => wantedOf(address), [address])
  const query = useInfiniteQuery(credentialPages(tenant.id, wanted.filter, wanted.order, wanted.reversed))
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.rows) ?? [], [query.data])
  const last = query.data?.pages.at(-1)
  const isFiltered = Object.keys(wanted.filter).length > 0
  const clear = () => set({ stage: undefined, kind: undefined, agent: undefined, q: undefined })
  return (
    <div className="stack">
      <Filters page={last} isFiltered={isFiltered} onClear={clear} />
      {query.error && rows.length === 0 ? <Problem error={query.error} again={() => void query.refetch()} /> : null}
      {query.isPending ? <Waiting /> : null}
      {last && rows.length === 0 ? (
        <div className="panel">
          {isFiltered ? (
            <Empty title="None like that" action={<Act onClick={clear}>Clear the filters</Act>}>No credential of this tenant matches. Fewer filters show more.</Empty>
          ) : (
            <Empty title="No credential yet" action={<Link to="/t/$tenant/agents" params={{ tenant: tenant.name }}>Issue a key to an agent</Link>}>
              Keys, certificates, clients and identities of agents appear here, with their age, what happens to them next, and when they end.
            </Empty>
          )}
        </div>
      ) : null}
      {rows.length > 0 ? (
        <>
          <CredentialTable rows={rows} open={address.credential} onOpen={(row) => set({ credential: row.credential.id })} order={wanted.order} reversed={wanted.reversed}
            onOrder={(sort, reversed) => set({ sort: sort === 'next' ? undefined : sort, dir: reversed ? 'desc' : undefined })} />
          <div className={css.more}>
            <span className="dim small" role="status">{count(rows.length)} of {count(last?.total ?? rows.length)} shown</span>
            {query.hasNextPage ? <Act onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>Show more</Act> : null}
          </div>
        </>
      ) : null}
    </div>
  )
}

function Filters({ page, isFiltered, onClear }: { page: CredentialPageView | undefined; isFiltered: boolean; onClear: () => void }) {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const agents = useQuery(agentList(tenant.id)).data ?? []
  const counts = new Map(page?.stages.map((one) => [one.stage, one.credentials]))
  const all = [...counts.values()].reduce((sum, one) => sum + one, 0)
  const pill = (stage: CredentialStage | undefined, label: string, many: number, title?: string) => (
    <button key={label} type="button" className={css.pill} aria-pressed={address.stage === stage} title={title} onClick={() => set({ stage })}>
      {label} <span className={css.many}>{count(many)}</span>
    </button>
  )
  return (
    <div className={css.filters}>
      <div className={css.pills} role="group" aria-label="State">
        {pill(undefined, 'All', all)}
        {stages.filter((stage) => counts.has(stage) || address.stage === stage).map((stage) => pill(stage, stageWord[stage], counts.get(stage) ?? 0, stageMeaning[stage]))}
      </div>
      <div className={css.fields}>
        <TextInput size="xs" className={css.search ?? ''} aria-label="Words in the key id or in the agent’s name" placeholder="Key id or agent" leftSection={<IconSearch size={14} />} value={address.q ?? ''} onChange={(event) => set({ q: event.currentTarget.value || undefined })} />
        <Select size="xs" className={css.choice ?? ''} aria-label="Agent" placeholder="Any agent" clearable searchable nothingFoundMessage="No such agent" value={address.agent ?? null} onChange={(agent) => set({ agent: agent ?? undefined })}
          data={agents.map((agent) => ({ value: agent.id, label: agent.name }))} />
        <Select size="xs" className={css.choice ?? ''} aria-label="Kind" placeholder="Any kind" clearable value={address.kind ?? null} onChange={(kind) => set({ kind: kind ?? undefined })}
          data={Object.entries(kindWord).map(([value, label]) => ({ value, label }))} />
        {isFiltered ? <Act tone="quiet" onClick={onClear}>Clear</Act> : null}
      </div>
    </div>
  )
}

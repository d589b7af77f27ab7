import { Drawer, SegmentedControl, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Act } from '@/components/Act'
import { useAddress, type Address } from '@/components/address'
import { IconSearch, IconX } from '@/components/icons'
import { Page } from '@/components/Page'
import { Problem } from '@/components/Problem'
import { Waiting } from '@/components/Loaded'
import { useTenant } from '@/components/tenant'
import type { AgentId, AuditFilter, Decision, SessionId, TenantId, ToolId } from '@/ipc/generated'
import { auditPages } from '@/ipc/queries'
import { count, shortId } from '@/lib/format'
import css from './Audit.module.css'
import { AuditList } from './AuditList'
import { ChainButton } from './ChainButton'
import { EventDetail } from './EventDetail'
import { kindGroups } from './kinds'

/** Everything that happened, newest first. */
export function AuditPage() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const filter = useMemo(() => filterOf(address, tenant.id), [address, tenant.id])
  const query = useInfiniteQuery(auditPages(filter))
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.rows) ?? [], [query.data])
  const total = query.data?.pages[0]?.total
  const open = address.event === undefined ? null : Number(address.event)
  return (
    <Page fill title="Audit" lead="Every event is sealed to the one before it. What could not be recorded was not done." actions={<ChainButton />}>
      <Filters />
      {query.error && rows.length === 0 ? <Problem error={query.error} again={() => void query.refetch()} /> : null}
      {query.isPending ? <Waiting /> : null}
      {query.data ? (
        <AuditList
          rows={rows}
          open={open}
          onOpen={(seq) => set({ event: String(seq) })}
          more={query.hasNextPage && !query.isFetchingNextPage ? () => void query.fetchNextPage() : null}
          allTenants={filter.tenant === undefined}
        />
      ) : null}
      <div className={css.sum} role="status">
        {total === undefined || rows.length === 0 ? '' : `${count(rows.length)} of ${count(total)} events shown${query.isFetchingNextPage ? ', more on their way' : ''}`}
      </div>
      <Drawer opened={open !== null && Number.isFinite(open)} onClose={() => set({ event: undefined })} title={`Event ${open ?? ''}`} size={560}>
        {open !== null && Number.isFinite(open) ? <EventDetail seq={open} onOpen={(seq) => set({ event: String(seq) })} /> : null}
      </Drawer>
    </Page>
  )
}

function filterOf(address: Address, tenant: TenantId): AuditFilter {
  const kinds = kindGroups.find((group) => group.value === address.kind)?.kinds
  return {
    ...(address.everywhere === '1' ? {} : { tenant }),
    ...(kinds && { kinds }),
    ...(address.decision && { decision: address.decision as Decision }),
    ...(address.agent && { agent: address.agent as AgentId }),
    ...(address.session && { session: address.session as SessionId }),
    ...(address.tool && { tool: address.tool as ToolId }),
    ...(address.correlation && { correlation: address.correlation }),
    ...(address.q && { text: address.q }),
  }
}

const pills: { key: string; title: (value: string) => string }[] = [
  { key: 'agent', title: (value) => `agent ${shortId(value)}` },
  { key: 'session', title: (value) => `session ${shortId(value)}` },
  { key: 'tool', title: (value) => `tool ${shortId(value)}` },
  { key: 'correlation', title: (value) => `reference ${shortId(value)}` },
]

function Filters() {
  const [address, set] = useAddress()
  const any = ['kind', 'decision', 'q', 'everywhere', ...pills.map((pill) => pill.key)].some((key) => address[key])
  return (
    <div className={css.filters}>
      <TextInput
        size="xs" className={css.search ?? ''} aria-label="Words in the summary, tool or reason, or a reference" placeholder="Words, or cor_… reference"
        leftSection={<IconSearch size={14} />} value={address.q ?? address.correlation ?? ''}
        onChange={(event) => {
          const words = event.currentTarget.value
          set(words.startsWith('cor_') ? { correlation: words, q: undefined } : { q: words || undefined, correlation: undefined })
        }}
      />
      <SegmentedControl size="xs" aria-label="Kind of event" transitionDuration={0} value={address.kind ?? 'all'} onChange={(value) => set({ kind: value === 'all' ? undefined : value })}
        data={[{ value: 'all', label: 'All' }, ...kindGroups.map(({ value, label }) => ({ value, label }))]} />
      <SegmentedControl size="xs" aria-label="Decision" transitionDuration={0} value={address.decision ?? 'any'} onChange={(value) => set({ decision: value === 'any' ? undefined : value })}
        data={[{ value: 'any', label: 'Any' }, { value: 'allow', label: 'Allowed' }, { value: 'hold', label: 'Held' }, { value: 'deny', label: 'Refused' }]} />
      {pills.map(({ key, title }) =>
        address[key] ? (
          <button key={key} type="button" className={css.pill} onClick={() => set({ [key]: undefined })} aria-label={`Remove the filter ${title(address[key] ?? '')}`}>
            {title(address[key] ?? '')} <IconX size={12} />
          </button>
        ) : null,
      )}
      <button type="button" className={css.pill} aria-pressed={address.everywhere === '1'} onClick={() => set({ everywhere: address.everywhere === '1' ? undefined : '1' })}>
        All tenants
      </button>
      {any ? <Act tone="quiet" onClick={() => set({ kind: undefined, decision: undefined, q: undefined, everywhere: undefined, agent: undefined, session: undefined, tool: undefined, correlation: undefined })}>Clear</Act> : null}
    </div>
  )
}

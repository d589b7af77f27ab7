import { Drawer, SegmentedControl, Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useDeferredValue, useMemo } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { Empty } from '@/components/Empty'
import { IconSearch } from '@/components/icons'
import { Loaded } from '@/components/Loaded'
import { Page } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import { Untrusted } from '@/components/Untrusted'
import type { ReferenceView } from '@/ipc/generated'
import { referenceMatrix } from '@/ipc/queries'
import { count, plural } from '@/lib/format'
import { ExportMatrix } from './ExportMatrix'
import css from './Reference.module.css'
import { filtered, sumOf, type Sum } from './reference'
import { ReferenceTable } from './ReferenceTable'
import { ReferenceTool } from './ReferenceTool'

/** Roles, tools, scopes and data systems in one table: what identity providers and reviews are given. */
export function ReferencePage() {
  const tenant = useTenant()
  const query = useQuery(referenceMatrix(tenant.id))
  return (
    <Page fill title="Reference matrix" lead="Each role with each tool, the scopes that an access token needs for it, and the data system behind it." actions={<ExportMatrix />}>
      <Loaded query={query}>{(view) => <Reference view={view} />}</Loaded>
    </Page>
  )
}

function Reference({ view: { rows } }: { view: ReferenceView }) {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const words = useDeferredValue(address.q)
  const shown = useMemo(() => filtered(rows, { words, role: address.role, grant: address.grant, lack: address.lack }), [rows, words, address.role, address.grant, address.lack])
  const sum = useMemo(() => sumOf(rows), [rows])
  const open = rows.filter((row) => row.tool === address.tool)
  if (rows.length === 0) {
    return (
      <div className="panel">
        <Empty title="Nothing to refer to yet" action={<Link to="/t/$tenant/matrix" params={{ tenant: tenant.name }}>Open the matrix</Link>}>
          Once there are roles and tools, each pair is a row here, with the scopes and the data system that you give the tool.
        </Empty>
      </div>
    )
  }
  return (
    <>
      <Filters view={rows} />
      {shown.length === 0 ? (
        <div className="panel">
          <Empty title="No row matches" action={<Act onClick={() => set({ q: undefined, role: undefined, grant: undefined, lack: undefined })}>Clear the filters</Act>}>Fewer filters show more.</Empty>
        </div>
      ) : (
        <ReferenceTable rows={shown} open={address.tool} onOpen={(tool) => set({ tool })} />
      )}
      <Foot shown={shown.length} all={rows.length} sum={sum} />
      <Drawer opened={open.length > 0} onClose={() => set({ tool: undefined })} title={open[0] ? <>Tool <Untrusted text={open[0].tool_name} mono /></> : ''} size={520}>
        {open.length > 0 ? <ReferenceTool key={address.tool} rows={open} /> : null}
      </Drawer>
    </>
  )
}

function Filters({ view }: { view: ReferenceView['rows'] }) {
  const [address, set] = useAddress()
  const roles = useMemo(() => [...new Map(view.map((row) => [row.role, row.role_name]))].map(([value, label]) => ({ value, label })), [view])
  return (
    <div className={css.filters}>
      <TextInput size="xs" className={css.search ?? ''} aria-label="Words in the tool, role, scope or data system" placeholder="Tool, role, scope or system" leftSection={<IconSearch size={14} />}
        value={address.q ?? ''} onChange={(event) => set({ q: event.currentTarget.value || undefined })} />
      <Select size="xs" className={css.select ?? ''} aria-label="Role" placeholder="All roles" clearable searchable value={address.role ?? null} onChange={(role) => set({ role: role ?? undefined })} data={roles} />
      <SegmentedControl size="xs" aria-label="Grant" transitionDuration={0} value={address.grant ?? 'any'} onChange={(grant) => set({ grant: grant === 'any' ? undefined : grant })}
        data={[{ value: 'any', label: 'Any grant' }, { value: 'granted', label: 'Granted' }, { value: 'token', label: 'Token' }, { value: 'deny', label: 'Deny' }]} />
      <Select size="xs" className={css.select ?? ''} aria-label="What is missing" placeholder="Complete or not" clearable value={address.lack ?? null} onChange={(lack) => set({ lack: lack ?? undefined })}
        data={[{ value: 'scopes', label: 'Without scopes' }, { value: 'system', label: 'No data system' }]} />
    </div>
  )
}

function Foot({ shown, all, sum }: { shown: number; all: number; sum: Sum }) {
  return (
    <div className={css.foot} role="status">
      <span>{shown === all ? plural(all, 'row') : `${count(shown)} of ${plural(all, 'row')}`}</span>
      <span className="grow" />
      <span>{sum.withoutScopes === 0 ? 'Every tool has scopes' : `${count(sum.withoutScopes)} of ${plural(sum.tools, 'tool')} need no scope`}</span>
      <span>{sum.withoutSystem === 0 ? 'every tool has a data system' : `${count(sum.withoutSystem)} without a data system`}</span>
    </div>
  )
}

import { Select, TextInput } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { grantLabel } from '@/components/Grant'
import { IconCheck, IconMinus, IconSearch, IconSignature } from '@/components/icons'
import type { Grant, MatrixView } from '@/ipc/generated'
import { plural } from '@/lib/format'
import { kinds, kindTitle } from '@/lib/kinds'
import css from './Matrix.module.css'

type Props = { view: MatrixView; cells: number; shown: number; onSet: (grant: Grant) => void }

const keys: { grant: Grant; key: string; icon: typeof IconCheck }[] = [
  { grant: 'allow', key: 'A', icon: IconCheck },
  { grant: 'token', key: 'T', icon: IconSignature },
  { grant: 'deny', key: 'D', icon: IconMinus },
]

/** Filter, lens, and setting what is selected. */
export function Toolbar({ view, cells, shown, onSet }: Props) {
  const [address, set] = useAddress()
  const filter = useRef<HTMLInputElement>(null)
  const present = kinds.filter((kind) => view.tools.some((tool) => tool.kind === kind))
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const field = event.target instanceof HTMLElement && ['INPUT', 'TEXTAREA'].includes(event.target.tagName)
      if (event.key !== '/' || field) return
      event.preventDefault()
      filter.current?.focus()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [])
  return (
    <div className={css.toolbar}>
      <TextInput ref={filter} size="xs" className={css.filter ?? ''} placeholder="Filter tools" aria-label="Filter tools" leftSection={<IconSearch size={14} />}
        value={address.q ?? ''} onChange={(event) => set({ q: event.currentTarget.value || undefined })} />
      {view.servers.length > 1 ? (
        <Select size="xs" className={css.select ?? ''} aria-label="Server" placeholder="All servers" clearable value={address.server ?? null}
          onChange={(server) => set({ server: server ?? undefined })} data={view.servers.map((server) => ({ value: server.id, label: server.name }))} />
      ) : null}
      {present.length > 1 ? (
        <Select size="xs" className={css.select ?? ''} aria-label="Kind" placeholder="All kinds" clearable value={address.kind ?? null}
          onChange={(kind) => set({ kind: kind ?? undefined })} data={present.map((kind) => ({ value: kind, label: kindTitle[kind] }))} />
      ) : null}
      <Select size="xs" className={css.select ?? ''} aria-label="Task lens" placeholder="Task lens" clearable value={address.lens ?? null}
        onChange={(lens) => set({ lens: lens ?? undefined })} data={view.tasks.map((task) => ({ value: task.id, label: `Task ${task.name}` }))} />
      <span className="grow" />
      {cells > 1 ? <span className="dim small nowrap">{plural(cells, 'cell')}</span> : null}
      <div className={css.set} role="group" aria-label="Set the selected cells">
        {keys.map(({ grant, key, icon: Icon }) => (
          <Act key={grant} px={10} leftSection={<Icon size={14} />} onClick={() => onSet(grant)} disabledReason={shown === 0 ? 'No tool is shown' : undefined}>
            {grantLabel[grant]} <kbd className={css.key}>{key}</kbd>
          </Act>
        ))}
      </div>
    </div>
  )
}

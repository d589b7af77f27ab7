import { useQueryClient } from '@tanstack/react-query'
import { useMemo, useRef, useState } from 'react'
import { announceEnforced } from '@/components/enforced'
import { tellFailed } from '@/components/notices'
import { call } from '@/ipc/call'
import type { CellChange, Grant, TenantId } from '@/ipc/generated'
import { matrix } from '@/ipc/queries'
import { cellKey, Grants } from './sheet'

export type Edit = {
  /** Cells that were set and are not known to be enforced yet. */
  underway: ReadonlyMap<string, Grant>
  set: (changes: CellChange[]) => void
}

/**
 * Changes cells. Each change is sent at once, one after the other, so that each names the version
 * that the one before it made; what fails goes back to what is enforced.
 */
export function useEdit(tenant: TenantId): Edit {
  const queryClient = useQueryClient()
  const [entries, setEntries] = useState<ReadonlyMap<string, { grant: Grant; turn: number }>>(new Map())
  const underway = useMemo(() => new Map([...entries].map(([key, { grant }]) => [key, grant])), [entries])
  const turns = useRef(0)
  const queue = useRef<Promise<void>>(Promise.resolve())
  const query = matrix(tenant)

  const send = async (changes: CellChange[], asked: number, turn: number) => {
    try {
      const view = await queryClient.ensureQueryData(query)
      const enforced = await call('matrix_set', { tenant, changes, base_version: view.policy_version })
      await queryClient.cancelQueries(query)
      queryClient.setQueryData(query.queryKey, (now) => now && new Grants(now).with(changes, enforced.policy_version))
      announceEnforced(enforced, asked)
      void queryClient.invalidateQueries({ queryKey: ['policy', 'cell'] })
    } catch (thrown) {
      tellFailed(thrown)
      await queryClient.invalidateQueries(query)
    } finally {
      // What was set anew meanwhile is still under way.
      setEntries((before) => new Map([...before].filter(([, entry]) => entry.turn !== turn)))
    }
  }

  const set = (changes: CellChange[]) => {
    if (changes.length === 0) return
    const asked = performance.now()
    turns.current += 1
    const turn = turns.current
    setEntries((before) => new Map([...before, ...changes.map(({ tool, role, grant }) => [cellKey(tool, role), { grant, turn }] as const)]))
    queue.current = queue.current.then(() => send(changes, asked, turn))
  }
  return { underway, set }
}

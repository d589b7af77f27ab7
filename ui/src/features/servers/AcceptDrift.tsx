import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { JsonView } from '@/components/JsonView'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { ToolView } from '@/ipc/generated'
import { marked } from '@/lib/kinds'
import css from './Servers.module.css'

/** What the server publishes now instead of the pinned definition, and taking it in. */
export function AcceptDrift({ tool, drift }: { tool: ToolView; drift: string }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [gone, setGone] = useState(false)
  const accept = useMutation({
    mutationFn: async () => {
      const where = { tenant: tenant.id, server: tool.server }
      const found = (await call('server_discover', where)).find((one) => marked(one) === marked(tool))
      // Only what was looked at is taken in: the server may have changed it once more.
      if (!found || found.definition !== drift) return setGone(true)
      await call('server_accept', { ...where, tools: [{ kind: tool.kind, name: tool.name, fingerprint: found.fingerprint, enabled: tool.enabled }] })
      tellDone(`The new definition of ${tool.name} is pinned`)
    },
    onSuccess: () => queryClient.invalidateQueries(),
  })
  return (
    <section className={css.driftBox}>
      <h3>Changed by the server</h3>
      <p>Compared with the pinned definition. Agents see the pinned one; calls are refused until you accept.</p>
      <JsonView source={drift} before={tool.definition} label={`New definition of ${tool.name}`} />
      {gone ? <p role="alert">The server publishes yet another definition now. Look at it before you accept.</p> : null}
      {accept.error ? <Problem error={accept.error} /> : null}
      <p className="dim small">To keep it in quarantine, leave it as it is: nothing is called until you accept.</p>
      <div><Act onClick={() => accept.mutate()} loading={accept.isPending}>Accept the new definition</Act></div>
    </section>
  )
}

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { DiscoveredTool, ServerView, ToolView } from '@/ipc/generated'
import { plural } from '@/lib/format'
import { marked } from '@/lib/kinds'
import { ChooseTools } from './ChooseTools'

/** Asks a server what it has now, and takes in what is new or changed. */
export function Rediscover({ server, pinned }: { server: ServerView; /** What was taken in before. */ pinned: ToolView[] }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [found, setFound] = useState<DiscoveredTool[] | null>(null)
  const [chosen, setChosen] = useState<Set<string>>(new Set())
  const where = { tenant: tenant.id, server: server.id }
  const discover = useMutation({
    mutationFn: () => call('server_discover', where),
    onSuccess: (tools) => {
      const news = tools.filter((tool) => tool.known !== 'same')
      setFound(news)
      setChosen(new Set(news.filter((tool) => tool.problem === null).map(marked)))
    },
  })
  const accept = useMutation({
    mutationFn: () =>
      call('server_accept', { ...where, tools: (found ?? []).map((tool) => ({ kind: tool.kind, name: tool.name, fingerprint: tool.fingerprint, enabled: chosen.has(marked(tool)) })) }),
    onSuccess: async () => {
      tellDone(`${plural(found?.length ?? 0, 'definition')} of ${server.name} taken in`)
      setFound(null)
      await queryClient.invalidateQueries()
    },
  })
  return (
    <div className="stack">
      <div className="row">
        <Act onClick={() => discover.mutate()} loading={discover.isPending}>Ask now</Act>
        <span className="dim">Shows what is new or has changed since you took its tools in. Nothing changes by asking.</span>
      </div>
      {discover.error ? <Problem error={discover.error} /> : null}
      {found?.length === 0 ? <p role="status">Nothing is new: it publishes what you have pinned.</p> : null}
      {found && found.length > 0 ? (
        <>
          <ChooseTools tools={found} chosen={chosen} onChange={setChosen} pinned={pinned} />
          {accept.error ? <Problem error={accept.error} /> : null}
          <div><Act tone="primary" onClick={() => accept.mutate()} loading={accept.isPending}>Take in {plural(found.length, 'definition')}</Act></div>
        </>
      ) : null}
    </div>
  )
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { call } from '@/ipc/call'
import type { OriginView, ServerView } from '@/ipc/generated'
import { templateList } from '@/ipc/queries'
import { fromProblem, Places } from './FromTemplate'
import css from './Servers.module.css'
import type { From } from './transport'

/** The template that a server comes from, and what this tenant put into its places. */
export function Origin({ server, origin }: { server: ServerView; origin: OriginView }) {
  const queryClient = useQueryClient()
  const templates = useQuery(templateList())
  const template = templates.data?.find((one) => one.name === origin.template)
  const [from, setFrom] = useState<From | null>(null)
  const save = useMutation({
    mutationFn: (settings: From['settings']) => call('server_settings_set', { tenant: server.tenant, server: server.id, settings }),
    onSuccess: async () => {
      setFrom(null)
      tellDone(`${server.name} begins anew with its next call.`)
      await queryClient.invalidateQueries()
    },
  })
  if (!from || !template) {
    return (
      <section className="stack tight">
      <dl className={`facts ${css.reach}`}>
        <dt>Template</dt><dd>{origin.template}</dd>
        {Object.entries(origin.settings).map(([place, value]) => (
          <div key={place} style={{ display: 'contents' }}><dt><code>{place}</code></dt><dd><code>{value}</code></dd></div>
        ))}
      </dl>
      {template?.places.length ? <div><Act onClick={() => setFrom({ ...origin })}>Change the settings</Act></div> : null}
      </section>
    )
  }
  return (
    <div className="stack" style={{ maxWidth: 640 }}>
      <Places template={template} from={from} onChange={setFrom} />
      {save.error ? <Problem error={save.error} /> : null}
      <div className="row">
        <Act onClick={() => setFrom(null)}>Cancel</Act>
        <Act tone="primary" onClick={() => save.mutate(from.settings)} loading={save.isPending} disabledReason={fromProblem(from, template)}>Save</Act>
      </div>
    </div>
  )
}

import { Switch } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { CopyId } from '@/components/Copy'
import { Empty } from '@/components/Empty'
import { announceEnforced } from '@/components/enforced'
import { GrantMark } from '@/components/Grant'
import { JsonView } from '@/components/JsonView'
import { Mark } from '@/components/Mark'
import { tellFailed } from '@/components/notices'
import { useTenant } from '@/components/tenant'
import { Telling } from '@/components/Telling'
import { ToolNeeds } from '@/components/ToolNeeds'
import { ToolProblem } from '@/components/ToolProblem'
import { Untrusted } from '@/components/Untrusted'
import { call } from '@/ipc/call'
import type { ToolView } from '@/ipc/generated'
import { byKind, kindTitle, marked } from '@/lib/kinds'
import { Claims } from '@/components/Claims'
import { AcceptDrift } from './AcceptDrift'
import css from './Servers.module.css'

/** What was taken in from a server, by kind. */
export function ServerTools({ tools }: { tools: ToolView[] }) {
  const [open, setOpen] = useState<string | null>(() => tools.find((tool) => tool.drift !== null)?.id ?? null)
  if (tools.length === 0) {
    return <div className="panel"><Empty title="No tool yet">Ask the server what it has and take in what agents need.</Empty></div>
  }
  const kinds = byKind(tools)
  return (
    <div className={`panel ${css.toolList}`}>
      {kinds.map(({ kind, things }) => (
        <section key={kind} aria-label={kindTitle[kind]}>
          {kind === 'tool' && kinds.length === 1 ? null : <h3 className={css.kind}>{kindTitle[kind]}</h3>}
          {things.map((tool) => (
            <Tool key={tool.id} tool={tool} open={open === tool.id} onToggle={() => setOpen(open === tool.id ? null : tool.id)} />
          ))}
        </section>
      ))}
    </div>
  )
}

function Tool({ tool, open, onToggle }: { tool: ToolView; open: boolean; onToggle: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const enable = useMutation({
    mutationFn: async (enabled: boolean) => {
      const asked = performance.now()
      announceEnforced(await call('tool_set_enabled', { tenant: tenant.id, tools: [tool.id], enabled }), asked)
    },
    onSuccess: () => queryClient.invalidateQueries(),
    onError: tellFailed,
  })
  return (
    <div className={css.entry}>
      <div className={css.entryHead}>
        <Switch size="xs" aria-label={`${marked(tool)} enabled`} checked={tool.enabled} onChange={(event) => enable.mutate(event.currentTarget.checked)} />
        <button type="button" className={css.toolName} aria-expanded={open} onClick={onToggle}>
          <b><Untrusted text={tool.name} mono /></b>
          <span className={`dim ${css.oneLine}`}><Untrusted text={tool.title ?? tool.description} /></span>
        </button>
        {tool.problem === null ? null : <Mark tone="care" title={tool.problem}>not offered</Mark>}
        {tool.drift === null ? null : <Mark tone="care">changed</Mark>}
      </div>
      {open ? (
        <div className={css.entryBody}>
          {tool.problem === null ? null : <ToolProblem problem={tool.problem} taken />}
          {tool.drift === null ? null : <AcceptDrift tool={tool} drift={tool.drift} />}
          <section className="stack tight">
            <h3>What the server says of it</h3>
            <blockquote className={css.quote}><Untrusted text={tool.description || 'Nothing.'} lines /></blockquote>
            <Telling text={tool.description} />
            {tool.kind === 'tool' ? <Claims claims={tool.claims} /> : null}
          </section>
          <section className="stack tight">
            <h3>{tool.kind === 'tool' ? 'Who may call it' : 'Who may use it'}</h3>
            <div className={css.grants}>
              {tool.grants.map((grant) => (
                <span key={grant.role}><span className="ellipsis" title={grant.role_name}>{grant.role_name}</span><GrantMark grant={grant.grant} /></span>
              ))}
            </div>
          </section>
          <ToolNeeds tool={tool} />
          <section className="stack tight">
            <h3>Pinned definition</h3>
            <span className="small dim">Fingerprint <CopyId id={tool.fingerprint} whole /></span>
            <JsonView source={tool.definition} label={`Definition of ${tool.name}`} />
          </section>
        </div>
      ) : null}
    </div>
  )
}

import { Select, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Page } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import type { AgentId, AgentView, Kind, MatrixView, SessionId, TaskId, TaskView, ToolId } from '@/ipc/generated'
import { agentList, matrix, policyExplain, taskList } from '@/ipc/queries'
import { lines } from '@/lib/json'
import { marked } from '@/lib/kinds'
import css from './Explain.module.css'
import { Explanation } from './Explanation'

/** For any agent, task and tool: what would become of a call, and why, gate by gate. */
export function ExplainPage() {
  const tenant = useTenant()
  const agents = useQuery(agentList(tenant.id))
  const tasks = useQuery(taskList(tenant.id))
  const sheet = useQuery(matrix(tenant.id))
  return (
    <Page title="Explain" lead="What would become of a call, and why: asked of the very gates that every call passes.">
      <Loaded query={agents}>
        {(allAgents) => <Loaded query={tasks}>{(allTasks) => <Loaded query={sheet}>{(view) => <Asking agents={allAgents} tasks={allTasks} sheet={view} />}</Loaded>}</Loaded>}
      </Loaded>
    </Page>
  )
}

type Props = { agents: AgentView[]; tasks: TaskView[]; sheet: MatrixView }

function Asking({ agents, tasks, sheet }: Props) {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const [written, setWritten] = useState('')
  const [given, setGiven] = useState<string | undefined>()
  const agent = agents.find((one) => one.id === address.agent)
  const tool = sheet.tools.find((one) => one.id === address.tool)
  const task = tasks.find((one) => one.id === address.task)
  const session = address.session
  const servers = useMemo(() => new Map(sheet.servers.map((one) => [one.id, one.name])), [sheet])
  const own = agent ? new Set(agent.tasks.map((one) => one.id)) : null
  const problem = written.trim() && !lines(written) ? 'This is not JSON' : undefined
  if (agents.length === 0 || sheet.tools.length === 0) {
    const first = sheet.tools.length === 0
      ? <Link to="/t/$tenant/servers" params={{ tenant: tenant.name }} search={{ new: '1' } as never}>Add a server</Link>
      : <Link to="/t/$tenant/agents" params={{ tenant: tenant.name }} search={{ new: '1' } as never}>Create an agent</Link>
    return <div className="panel"><Empty title="Nothing to ask about yet" action={first}>Once there are an agent and a tool, this page says what would become of a call.</Empty></div>
  }
  return (
    <>
      <form className={`panel ${css.form}`} aria-label="The call" onSubmit={(event) => { event.preventDefault(); if (!problem) setGiven(written.trim() || undefined) }}>
        <div className={css.picks}>
          <Select label="Agent" placeholder="Which agent" searchable value={agent?.id ?? null} onChange={(id) => set({ agent: id ?? undefined, session: undefined })}
            data={agents.map((one) => ({ value: one.id, label: one.name }))} />
          <Select label="Task" placeholder="None declared" searchable clearable value={session ? null : (task?.id ?? null)} disabled={session !== undefined}
            description={session ? 'The one of the session' : undefined} onChange={(id) => set({ task: id ?? undefined })}
            data={tasks.map((one) => ({ value: one.id, label: own && !own.has(one.id) ? `${one.name} (not assigned)` : one.name }))} />
          <Select label="Tool" placeholder="Which tool" searchable limit={200} value={tool?.id ?? null} onChange={(id) => set({ tool: id ?? undefined })}
            data={sheet.tools.map((one) => ({ value: one.id, label: `${servers.get(one.server) ?? ''}/${marked(one)}` }))} />
        </div>
        <Textarea label="Arguments" description="A JSON object; without any, the best that there could be are assumed" placeholder='{ "path": "notes.md" }' autosize minRows={2} maxRows={12} spellCheck={false} classNames={{ input: css.arguments ?? '' }}
          value={written} onChange={(event) => setWritten(event.currentTarget.value)} error={problem} />
        <div className="row">
          <Act type="submit" tone="primary" disabledReason={problem ?? ((written.trim() || undefined) === given ? 'The explanation is for these arguments already' : undefined)}>Explain with these arguments</Act>
          {session ? <Act tone="quiet" onClick={() => set({ session: undefined })}>Ask of a session that opens now</Act> : null}
        </div>
      </form>
      {agent && tool ? (
        <Answer key={`${agent.id}${tool.id}`} agent={agent.id} task={session ? undefined : task?.id} tool={tool.id} kind={tool.kind} given={given} session={session as SessionId | undefined} />
      ) : (
        <div className="panel"><Empty title="Pick an agent and a tool">Pick a task, too: without one an agent has no tools.</Empty></div>
      )}
    </>
  )
}

type AnswerProps = { agent: AgentId; task: TaskId | undefined; tool: ToolId; kind: Kind; given: string | undefined; session: SessionId | undefined }

function Answer({ agent, task, tool, kind, given, session }: AnswerProps) {
  const tenant = useTenant()
  const query = useQuery(policyExplain(tenant.id, { agent, tool, ...(task && { task }), ...(given && { arguments: given }), ...(session && { session }) }))
  return <Loaded query={query}>{(view) => <Explanation view={view} kind={kind} />}</Loaded>
}

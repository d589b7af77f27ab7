import { Switch, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { call } from '@/ipc/call'
import type { ToolView } from '@/ipc/generated'
import { linesOf } from '@/lib/lines'
import { scopeProblem } from '@/lib/scopes'
import { Act } from './Act'
import { tellDone } from './notices'
import { Problem } from './Problem'
import { RateLimit } from './RateLimit'
import { SigningRule } from './SigningRule'
import { ToolEffects } from './ToolEffects'
import { useTenant } from './tenant'

type Described = Pick<ToolView, 'id' | 'name' | 'scopes' | 'data_system'> & Partial<Pick<ToolView, 'introspect' | 'rate' | 'signing' | 'effects' | 'claims'>>

/** What a tool needs of an access token, what data system is behind it, how often it may be called, who approves and what cannot be taken back; all of it can be changed. */
export function ToolNeeds({ tool }: { tool: Described }) {
  const tenant = useTenant()
  const [editing, setEditing] = useState(false)
  return (
    <>
    <section className="stack tight">
      <h3>What it needs</h3>
      {editing ? (
        <Form tool={tool} onDone={() => setEditing(false)} />
      ) : (
        <>
          <dl className="facts">
            <dt>Scopes</dt><dd>{tool.scopes.length === 0 ? <span className="dim">none: every accepted token will do</span> : <code>{tool.scopes.join(', ')}</code>}</dd>
            {tool.introspect === undefined ? null : <><dt>Tokens</dt><dd>{tool.introspect ? 'asked about at their provider on each call' : <span className="dim">asked about as the provider’s rules say</span>}</dd></>}
            <dt>Data system</dt><dd>{tool.data_system ?? <span className="dim">not said</span>}</dd>
          </dl>
          <div><Act onClick={() => setEditing(true)} aria-label={`Change what ${tool.name} needs`}>Change</Act></div>
        </>
      )}
    </section>
    {tool.rate === undefined ? null : (
      <RateLimit whose="by each agent" name={tool.name} rate={tool.rate} onSet={(rate) => call('tool_set_rate', { tenant: tenant.id, tool: tool.id, ...(rate && { rate }) })} />
    )}
    {tool.signing === undefined ? null : <SigningRule tool={{ ...tool, signing: tool.signing }} />}
    {tool.effects === undefined || tool.claims === undefined ? null : <ToolEffects tool={{ ...tool, effects: tool.effects, claims: tool.claims }} />}
    </>
  )
}

function Form({ tool, onDone }: { tool: Described; onDone: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [scopes, setScopes] = useState(tool.scopes.join('\n'))
  const [introspect, setIntrospect] = useState(tool.introspect)
  const [system, setSystem] = useState(tool.data_system ?? '')
  const save = useMutation({
    mutationFn: () => call('tool_describe', { tenant: tenant.id, tool: tool.id, scopes: linesOf(scopes), ...(system.trim() && { data_system: system.trim() }), ...(introspect !== undefined && { introspect }) }),
    onSuccess: async () => {
      tellDone(`What ${tool.name} needs is changed`)
      await queryClient.invalidateQueries()
      onDone()
    },
  })
  const problem = scopeProblem(linesOf(scopes))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) save.mutate()
  }
  return (
    <form onSubmit={submit} className="stack" style={{ maxWidth: 480 }}>
      <Textarea label="Scopes" description="One a line. An access token without one of them is refused; API keys and certificates have no scopes." rows={3} autoFocus spellCheck={false}
        value={scopes} onChange={(event) => setScopes(event.currentTarget.value)} error={problem} />
      <TextInput label="Data system" description="For people: what is behind it" value={system} onChange={(event) => setSystem(event.currentTarget.value)} />
      {introspect === undefined ? null : (
        <Switch label="Ask the provider of a token about it on each call" description="Without an answer the call is refused; tokens of a provider that cannot be asked are refused too" checked={introspect} onChange={(event) => setIntrospect(event.currentTarget.checked)} />
      )}
      {save.error ? <Problem error={save.error} /> : null}
      <div className="row">
        <Act onClick={onDone}>Cancel</Act>
        <Act type="submit" tone="primary" loading={save.isPending} disabledReason={problem}>Save</Act>
      </div>
    </form>
  )
}

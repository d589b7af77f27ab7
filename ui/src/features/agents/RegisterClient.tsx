import { SegmentedControl, Select, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { clientMethodWord } from '@/components/credential'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Configurations, Fact, Issued, OnceDialog, OnlyNow, Stored } from '@/components/Once'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { AgentView, IssuedClient, NewClientMethod } from '@/ipc/generated'
import { issuerShow } from '@/ipc/queries'
import { jwksProblem } from '@/lib/jwks'
import css from './Agents.module.css'
import { LimitFields } from './LimitFields'
import { clientLifetimes, limitArgs, limitProblem, noLimits, usualClientLifetime } from './limits'

type Props = { agent: AgentView; onClose: () => void }

/** Registers a client of the built-in issuer. A secret that is made for it is shown once. */
export function RegisterClient({ agent, onClose }: Props) {
  const tenant = useTenant()
  const issuer = useQuery(issuerShow(tenant.id))
  const [issued, setIssued] = useState<IssuedClient | null>(null)
  return (
    <OnceDialog title={issued ? `The client of ${agent.name}` : `Register a client of ${agent.name}`} held={issued?.secret != null} size={issued ? 720 : 560} onClose={onClose}>
      {issued ? (
        <Shown issued={issued} onClose={onClose} />
      ) : (
        <Loaded query={issuer}>
          {({ enabled }) => enabled ? <Ask agent={agent} onIssued={setIssued} onCancel={onClose} /> : (
            <Empty title="The built-in issuer is off" action={<Link to="/t/$tenant/identity" params={{ tenant: tenant.name }} search={{ tab: 'issuer' } as never}>Open the built-in issuer</Link>}>
              A client gets its tokens from the gateway itself: switch its issuer on first.
            </Empty>
          )}
        </Loaded>
      )}
    </OnceDialog>
  )
}

// A record, so that a new method does not compile until it is here.
const methods: Record<NewClientMethod, { label: string; hint: string }> = {
  client_secret: { label: 'A secret', hint: 'Made here, shown once, and sent by the client each time it gets a token. The simplest; the others have nothing that could be copied.' },
  private_key_jwt: { label: 'Its own key', hint: 'The client signs an assertion with a key that never leaves its machine (RFC 7523). Only the public part comes here.' },
  tls_client_auth: { label: 'Its certificate', hint: 'The client shows the agent’s certificate at the token endpoint (RFC 8705). The gateway has to serve TLS.' },
}

function Ask({ agent, onIssued, onCancel }: { agent: AgentView; onIssued: (issued: IssuedClient) => void; onCancel: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [method, setMethod] = useState<NewClientMethod>('client_secret')
  const [jwks, setJwks] = useState('')
  const [spiffe, setSpiffe] = useState('')
  const [lifetime, setLifetime] = useState(usualClientLifetime)
  const [limits, setLimits] = useState(noLimits)
  const register = useMutation({
    mutationFn: () =>
      call('client_register', {
        tenant: tenant.id, agent: agent.id, method, lifetime_secs: Number(lifetime), ...limitArgs(limits),
        ...(method === 'private_key_jwt' && { jwks: jwks.trim() }), ...(method === 'tls_client_auth' && spiffe.trim() && { spiffe: spiffe.trim() }),
      }),
    onSuccess: (issued) => {
      onIssued(issued)
      void queryClient.invalidateQueries({ queryKey: ['registry'] })
    },
  })
  const wrong = method === 'private_key_jwt' ? jwksProblem(jwks) : undefined
  const problem = wrong ?? limitProblem(limits)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) register.mutate()
  }
  const mono = { input: css.mono ?? '' }
  return (
    <form onSubmit={submit} className="stack">
      <div className="stack tight">
        <SegmentedControl aria-label="How it proves itself" fullWidth transitionDuration={0} value={method} onChange={(value) => setMethod(value as NewClientMethod)}
          data={Object.entries(methods).map(([value, { label }]) => ({ value, label }))} />
        <span className="dim small">{methods[method].hint}</span>
      </div>
      {method === 'private_key_jwt' ? (
        <Textarea label="Public keys (JWK Set)" description="As RFC 7517 has it; each key with a kid" rows={5} spellCheck={false} autoComplete="off" placeholder='{"keys":[{"kty":"EC","crv":"P-256","kid":"…","x":"…","y":"…"}]}' classNames={mono}
          value={jwks} onChange={(event) => setJwks(event.currentTarget.value)} error={jwks ? wrong : undefined} />
      ) : null}
      {method === 'tls_client_auth' ? (
        <TextInput label="SPIFFE ID of its certificate" description="Empty: the agent’s own, as certificates that are issued here have it" spellCheck={false} autoComplete="off" classNames={mono}
          value={spiffe} onChange={(event) => setSpiffe(event.currentTarget.value)} />
      ) : null}
      <Select label="Valid for" data={clientLifetimes} value={lifetime} onChange={(value) => value && setLifetime(value)} allowDeselect={false} />
      <LimitFields agent={agent} limits={limits} onChange={setLimits} />
      {register.error ? <Problem error={register.error} /> : null}
      <div className="row spread">
        <Act onClick={onCancel}>Cancel</Act>
        <Act type="submit" tone="primary" loading={register.isPending} disabledReason={problem}>Register the client</Act>
      </div>
    </form>
  )
}

function Shown({ issued, onClose }: { issued: IssuedClient; onClose: () => void }) {
  return (
    <Issued label="The client">
      {issued.secret === null ? null : <OnlyNow>The secret is shown only now. Countersign cannot show it again.</OnlyNow>}
      <dl className="facts">
        <Fact title="Client id" text={issued.client_id} />
        {issued.secret === null ? <><dt>Proven by</dt><dd>{clientMethodWord[issued.method]}</dd></> : <Fact title="Secret" text={issued.secret} secret />}
        <Fact title="Token endpoint" text={issued.token_endpoint} />
        <Fact title="Endpoint" text={issued.endpoint} />
        <Fact title="Scopes" text={issued.scopes.join(' ')} />
        <dt>Expires</dt><dd><Time at={issued.expires} /></dd>
      </dl>
      <Configurations all={issued.configurations} />
      <Stored what={issued.secret === null ? null : 'secret'} onClose={onClose} />
    </Issued>
  )
}

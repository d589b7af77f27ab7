import { Select, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { AgentView, ProviderView } from '@/ipc/generated'
import { providerList } from '@/ipc/queries'
import css from './Agents.module.css'
import { LimitFields } from './LimitFields'
import { lifetimes, limitArgs, limitProblem, longestLifetime, noLimits } from './limits'

type Props = { agent: AgentView; onClose: () => void }

/** Binds a subject of an identity provider to an agent: its access tokens are the agent's from then on. */
export function RegisterIdentity({ agent, onClose }: Props) {
  const tenant = useTenant()
  const query = useQuery(providerList(tenant.id))
  return (
    <Dialog onClose={onClose} title={`Register an external identity of ${agent.name}`} size={540}>
      <Loaded query={query}>
        {(providers) => {
          const first = providers[0]
          return first ? (
            <Form agent={agent} providers={providers} first={first} onClose={onClose} />
          ) : (
            <Empty title="No identity provider yet" action={<Link to="/t/$tenant/identity" params={{ tenant: tenant.name }} search={{ new: '1' } as never}>Add an identity provider</Link>}>
              A subject belongs to the provider that issues its tokens: add that one first.
            </Empty>
          )
        }}
      </Loaded>
    </Dialog>
  )
}

function Form({ agent, providers, first, onClose }: Props & { providers: ProviderView[]; first: ProviderView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [chosen, setChosen] = useState<string>(first.id)
  const [subject, setSubject] = useState('')
  const [lifetime, setLifetime] = useState(longestLifetime)
  const [limits, setLimits] = useState(noLimits)
  const provider = providers.find((one) => one.id === chosen) ?? first
  const register = useMutation({
    mutationFn: () =>
      call('credential_register', {
        tenant: tenant.id, agent: agent.id, provider: provider.id, subject: subject.trim(), lifetime_secs: Number(lifetime), ...limitArgs(limits),
      }),
    onSuccess: async () => {
      tellDone(`Tokens of this subject of ${provider.name} are ${agent.name}’s from now on`)
      await queryClient.invalidateQueries({ queryKey: ['registry'] })
      onClose()
    },
  })
  const problem = subject.trim() === '' ? 'The subject is missing' : limitProblem(limits)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) register.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      <Select label="Identity provider" allowDeselect={false} value={provider.id} onChange={(value) => value && setChosen(value)}
        data={providers.map((one) => ({ value: one.id, label: one.enabled ? one.name : `${one.name} (off)` }))} />
      <TextInput label="Subject" description={<>The value of claim <code>{provider.settings.claims.agent}</code> in its tokens, exactly</>} data-autofocus autoComplete="off" spellCheck={false} classNames={{ input: css.mono ?? '' }}
        value={subject} onChange={(event) => setSubject(event.currentTarget.value)} />
      <Select label="Valid for" data={lifetimes} value={lifetime} onChange={(value) => value && setLifetime(value)} allowDeselect={false} />
      <LimitFields agent={agent} limits={limits} onChange={setLimits} />
      {register.error ? <Problem error={register.error} /> : null}
      <div className="row spread">
        <Act onClick={onClose}>Cancel</Act>
        <Act type="submit" tone="primary" loading={register.isPending} disabledReason={problem}>Register</Act>
      </div>
    </form>
  )
}

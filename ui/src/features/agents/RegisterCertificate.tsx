import { SegmentedControl, Select, Textarea, TextInput } from '@mantine/core'
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
import type { AgentView, OutsideAuthorityView } from '@/ipc/generated'
import { authorityShow } from '@/ipc/queries'
import { pemProblem } from '@/lib/pem'
import css from './Agents.module.css'
import { LimitFields } from './LimitFields'
import { lifetimes, limitArgs, limitProblem, longestLifetime, noLimits } from './limits'

type Props = { agent: AgentView; onClose: () => void }

/** Binds certificates of an outside authority to an agent: one, or each with one SPIFFE ID. */
export function RegisterCertificate({ agent, onClose }: Props) {
  const tenant = useTenant()
  const query = useQuery(authorityShow(tenant.id))
  return (
    <Dialog onClose={onClose} title={`Register a certificate of ${agent.name}`} size={560}>
      <Loaded query={query}>
        {({ outside }) => {
          const first = outside[0]
          return first ? (
            <Form agent={agent} authorities={outside} first={first} onClose={onClose} />
          ) : (
            <Empty title="No outside authority yet" action={<Link to="/t/$tenant/identity" params={{ tenant: tenant.name }} search={{ tab: 'authorities' } as never}>Open the authorities</Link>}>
              This is for certificates that another authority has issued: add that one first. A certificate from here is issued, not registered.
            </Empty>
          )
        }}
      </Loaded>
    </Dialog>
  )
}

type By = 'spiffe' | 'certificate'

function Form({ agent, authorities, first, onClose }: Props & { authorities: OutsideAuthorityView[]; first: OutsideAuthorityView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [chosen, setChosen] = useState<string>(first.id)
  const authority = authorities.find((one) => one.id === chosen) ?? first
  const [by, setBy] = useState<By>('spiffe')
  const [spiffe, setSpiffe] = useState(first.prefix)
  const [pem, setPem] = useState('')
  const [lifetime, setLifetime] = useState(longestLifetime)
  const [limits, setLimits] = useState(noLimits)
  const register = useMutation({
    mutationFn: () =>
      call('certificate_register', {
        tenant: tenant.id, agent: agent.id, authority: authority.id, ...(by === 'spiffe' ? { spiffe: spiffe.trim() } : { certificate: pem.trim() }), lifetime_secs: Number(lifetime), ...limitArgs(limits),
      }),
    onSuccess: async () => {
      tellDone(`What ${authority.name} certifies like this is ${agent.name} from now on`)
      await queryClient.invalidateQueries({ queryKey: ['registry'] })
      onClose()
    },
  })
  const outside = spiffe.trim().startsWith(authority.prefix) && spiffe.trim() !== authority.prefix ? undefined : `It begins with ${authority.prefix} and goes on`
  const wrong = by === 'spiffe' ? outside : pemProblem(pem, 'certificate')
  const problem = wrong ?? limitProblem(limits)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) register.mutate()
  }
  const plain = { classNames: { input: css.mono ?? '' }, autoComplete: 'off', spellCheck: false }
  return (
    <form onSubmit={submit} className="stack">
      <Select label="Authority" allowDeselect={false} value={authority.id} onChange={(value) => value && setChosen(value)} data={authorities.map((one) => ({ value: one.id, label: one.name }))} />
      <SegmentedControl aria-label="Which certificates" fullWidth transitionDuration={0} value={by} onChange={(value) => setBy(value as By)}
        data={[{ value: 'spiffe', label: 'Each with this SPIFFE ID' }, { value: 'certificate', label: 'This one alone' }]} />
      {by === 'spiffe' ? (
        <TextInput label="SPIFFE ID" description="Letter by letter: renewed certificates go on working" data-autofocus {...plain} value={spiffe} onChange={(event) => setSpiffe(event.currentTarget.value)} error={spiffe !== authority.prefix && wrong} />
      ) : (
        <Textarea label="Certificate (PEM)" description="The next one has to be registered anew" rows={5} placeholder="-----BEGIN CERTIFICATE-----" {...plain} value={pem} onChange={(event) => setPem(event.currentTarget.value)} error={pem && wrong} />
      )}
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

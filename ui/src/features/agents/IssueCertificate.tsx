import { SegmentedControl, Select, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { Configurations, Fact, Issued, OnceDialog, OnlyNow, Stored } from '@/components/Once'
import { PemFile } from '@/components/Pem'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { AgentView, IssuedCertificate, TaskId } from '@/ipc/generated'
import { pemProblem } from '@/lib/pem'
import css from './Agents.module.css'
import { LimitFields } from './LimitFields'
import { certificateLifetimes, limitArgs, limitProblem, noLimits, tasksWithin, usualCertificateLifetime, type Limits } from './limits'
import { TaskChoice } from './TaskChoice'

type Props = { agent: AgentView; onClose: () => void }

/** Issues a certificate: for a key that is made here and shown once, or for the agent's own. */
export function IssueCertificate({ agent, onClose }: Props) {
  const [issued, setIssued] = useState<IssuedCertificate | null>(null)
  return (
    <OnceDialog title={issued ? `The certificate of ${agent.name}` : `Issue a certificate to ${agent.name}`} held={issued?.key != null} size={issued ? 720 : 540} onClose={onClose}>
      {issued ? <Shown agent={agent} issued={issued} onClose={onClose} /> : <Ask agent={agent} onIssued={setIssued} onCancel={onClose} />}
    </OnceDialog>
  )
}

type Whose = 'here' | 'agent'

function Ask({ agent, onIssued, onCancel }: { agent: AgentView; onIssued: (issued: IssuedCertificate) => void; onCancel: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [whose, setWhose] = useState<Whose>('here')
  const [csr, setCsr] = useState('')
  const [lifetime, setLifetime] = useState(usualCertificateLifetime)
  const [task, setTask] = useState<string | null>(agent.tasks[0]?.id ?? null)
  const [limits, setLimits] = useState(noLimits)
  const narrow = (next: Limits) => {
    setLimits(next)
    const left = tasksWithin(agent, next)
    if (!left.some((one) => one.id === task)) setTask(left[0]?.id ?? null)
  }
  const issue = useMutation({
    mutationFn: () =>
      call('certificate_issue', {
        tenant: tenant.id, agent: agent.id, lifetime_secs: Number(lifetime), ...(whose === 'agent' && { csr: csr.trim() }), ...(task && { task: task as TaskId }), ...limitArgs(limits),
      }),
    onSuccess: (issued) => {
      onIssued(issued)
      void queryClient.invalidateQueries({ queryKey: ['registry'] })
    },
  })
  const wrong = whose === 'agent' ? pemProblem(csr, 'csr') : undefined
  const problem = wrong ?? limitProblem(limits)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) issue.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      <div className="stack tight">
        <SegmentedControl aria-label="Whose key" fullWidth transitionDuration={0} value={whose} onChange={(value) => setWhose(value as Whose)}
          data={[{ value: 'here', label: 'A key made here' }, { value: 'agent', label: 'The agent’s own key' }]} />
        <span className="dim small">{whose === 'here' ? 'The key is shown once, with the certificate. Countersign does not keep it.' : 'The key never leaves the agent’s machine: only its signing request comes here.'}</span>
      </div>
      {whose === 'agent' ? (
        <Textarea label="Signing request (PEM)" description={<>Made there by <code>openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {agent.name}.key -subj /CN={agent.name}</code>. Nothing but the public key is taken from it.</>}
          rows={6} spellCheck={false} autoComplete="off" placeholder="-----BEGIN CERTIFICATE REQUEST-----" classNames={{ input: css.mono ?? '' }} data-autofocus
          value={csr} onChange={(event) => setCsr(event.currentTarget.value)} error={csr ? wrong : undefined} />
      ) : null}
      <Select label="Valid for" data={certificateLifetimes} value={lifetime} onChange={(value) => value && setLifetime(value)} allowDeselect={false} />
      <TaskChoice agent={agent} limits={limits} task={task} onChange={setTask} />
      <LimitFields agent={agent} limits={limits} onChange={narrow} />
      {issue.error ? <Problem error={issue.error} /> : null}
      <div className="row spread">
        <Act onClick={onCancel}>Cancel</Act>
        <Act type="submit" tone="primary" loading={issue.isPending} disabledReason={problem}>Issue the certificate</Act>
      </div>
    </form>
  )
}

function Shown({ agent, issued, onClose }: { agent: AgentView; issued: IssuedCertificate; onClose: () => void }) {
  return (
    <Issued label="The certificate">
      {issued.key === null ? null : <OnlyNow>The private key is shown only now. Countersign has not kept it.</OnlyNow>}
      {issued.endpoint.startsWith('http:') ? (
        <OnlyNow role="note">The gateway serves without TLS now, and without TLS no certificate can be shown to it. Turn TLS on in the settings before the agent calls.</OnlyNow>
      ) : null}
      <dl className="facts">
        <Fact title="SPIFFE ID" text={issued.spiffe} />
        <Fact title="Serial number" text={issued.serial} />
        <Fact title="SHA-256" text={issued.fingerprint} />
        <Fact title="Endpoint" text={issued.endpoint} />
        <dt>Expires</dt><dd><Time at={issued.expires} /></dd>
      </dl>
      <section className="stack tight">
        <h3>Files for the agent</h3>
        <div className="panel">
          {issued.key === null ? null : <PemFile name={`${agent.name}.key`} what="its private key, shown only now" text={issued.key} secret />}
          <PemFile name={`${agent.name}.pem`} what="its certificate" text={issued.certificate} />
          <PemFile name="countersign.pem" what="what it has to trust: the authority of the gateway’s own certificate" text={issued.server_authority} />
        </div>
      </section>
      <Configurations all={issued.configurations} />
      <Stored what={issued.key === null ? null : 'private key'} onClose={onClose} />
    </Issued>
  )
}

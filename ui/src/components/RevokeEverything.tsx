import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '@/ipc/call'
import type { AgentView, TenantView } from '@/ipc/generated'
import { plural } from '@/lib/format'
import { reasonProblem } from '@/lib/reason'
import { Act } from './Act'
import { CutOff } from './CutOff'
import { Dialog } from './Dialog'
import { tellDone } from './notices'
import { Problem } from './Problem'
import { ReasonField } from './ReasonField'
import { useTenant } from './tenant'
import { notTyped, TypedName } from './TypedName'

export type Whose = { kind: 'agent'; agent: AgentView } | { kind: 'tenant' }
type Props = { whose: Whose; onClose: () => void }

/** Asks before everything that an agent, or a whole tenant, could prove itself with is withdrawn. */
export function RevokeEverything({ whose, onClose }: Props) {
  const tenant = useTenant()
  return (
    <Dialog onClose={onClose} title={`Revoke everything of ${whose.kind === 'agent' ? `agent ${whose.agent.name}` : `tenant ${tenant.name}`}?`} size={600}>
      <EverythingForm whose={whose} onClose={onClose} />
    </Dialog>
  )
}

/** What will be lost, why, and the name that has to be typed. */
export function EverythingForm({ whose, onClose }: Props) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const name = whose.kind === 'agent' ? whose.agent.name : tenant.name
  const revoke = useMutation({
    mutationFn: () => {
      const where = { tenant: tenant.id, reason: reason.trim() }
      return whose.kind === 'agent' ? call('agent_revoke', { ...where, agent: whose.agent.id }) : call('tenant_revoke', where)
    },
    onSuccess: async ({ credentials, sessions }) => {
      tellDone(`Everything of ${name} is revoked: ${plural(credentials, 'credential')}, with ${plural(sessions, 'session')} ended`)
      onClose()
      await queryClient.invalidateQueries()
    },
  })
  return (
    <div className="stack">
      <p>{whose.kind === 'agent' ? agentLoss(whose.agent) : tenantLoss(tenant)}</p>
      <CutOff meant={whose.kind === 'agent' ? { agent: whose.agent.id } : {}} />
      <p className="dim">It holds from the very next request, on held calls and open streams too. None of it comes back: new credentials have to be issued.</p>
      <ReasonField value={reason} onChange={setReason} autoFocus />
      <TypedName name={name} typed={typed} onChange={setTyped} />
      {revoke.error ? <Problem error={revoke.error} /> : null}
      <div className="row spread">
        <Act onClick={onClose}>Keep</Act>
        <Act tone="danger" onClick={() => revoke.mutate()} loading={revoke.isPending} disabledReason={reasonProblem(reason) ?? notTyped(name, typed)}>Revoke everything</Act>
      </div>
    </div>
  )
}

const usable = (agent: AgentView) => agent.credentials.filter((credential) => credential.state === 'active' || credential.state === 'suspended').length

const agentLoss = (agent: AgentView) =>
  `${plural(usable(agent), 'credential')} and every access token issued to it up to now stop working.`

const tenantLoss = (tenant: TenantView) =>
  `Every credential of ${plural(tenant.agents, 'agent')} and every access token issued up to now stop working.`

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { CopyId } from '@/components/Copy'
import { isUsable, kindWord } from '@/components/credential'
import { Mark } from '@/components/Mark'
import { tellDone, tellFailed } from '@/components/notices'
import { ProofLine } from '@/components/ProofLine'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { CredentialRow, RotatedView } from '@/ipc/generated'
import { agentList } from '@/ipc/queries'
import { AgeBar } from './AgeBar'
import { Ask, type Doing } from './Ask'
import css from './Credentials.module.css'
import { Soon } from './Soon'
import { nextSentence, stageMeaning, stageTone, stageWord } from './words'

/** One credential: whose, how old, what comes next, and what can be done about it. */
export function CredentialDetail({ row, onRotated }: { row: CredentialRow; onRotated: (rotated: RotatedView) => void }) {
  const tenant = useTenant()
  const [, set] = useAddress()
  const { credential, agent_name: agentName, stage, next, successor } = row
  const responsible = useQuery(agentList(tenant.id)).data?.find((agent) => agent.id === credential.agent)?.responsible
  const go = (id: string) => set({ credential: id })
  return (
    <div className="stack wide">
      <div className="stack tight">
        <div className="row wrap"><Mark tone={stageTone[stage]}>{stageWord[stage]}</Mark><b>{kindWord[credential.kind]}</b><span className="dim">of</span><Link to="/t/$tenant/agents" params={{ tenant: tenant.name }} search={{ agent: credential.agent } as never}>{agentName}</Link></div>
        <ProofLine credential={credential} />
        <span className="dim small">{stageMeaning[stage]}.</span>
      </div>
      <AgeBar row={row} wide />
      <dl className="facts">
        <dt>Next</dt><dd>{next === null ? 'Nothing: it is over' : <>It {nextSentence[next.what]}, <Soon at={next.at} /></>}</dd>
        {credential.rotates && next?.what !== 'rotates' ? <><dt>Is replaced</dt><dd><Time at={credential.rotates} /></dd></> : null}
        {credential.overlap_ends && next?.what !== 'overlap_ends' ? <><dt>Makes way</dt><dd><Time at={credential.overlap_ends} /></dd></> : null}
        <dt>Issued</dt><dd><Time at={credential.created} /></dd>
        <dt>{stage === 'expired' ? 'Ended' : 'Ends'}</dt><dd><Time at={credential.expires} /></dd>
        <dt>Last used</dt><dd><Time at={credential.last_used} />{credential.last_from ? <> from <code>{credential.last_from}</code></> : null}</dd>
        <dt>Live sessions</dt><dd>{row.sessions}</dd>
        <dt>Tasks</dt><dd>{credential.tasks === null ? 'all of its agent' : credential.tasks.map((task) => task.name).join(', ') || 'none that is left'}</dd>
        <dt>Networks</dt><dd>{credential.networks.length === 0 ? 'any' : <span className="mono">{credential.networks.join(', ')}</span>}</dd>
        <dt>Answers for it</dt><dd>{responsible ? responsible.name : <span className="dim">nobody is named with the agent</span>}</dd>
        {credential.replaces ? <><dt>Takes the place of</dt><dd><button type="button" className={css.link} onClick={() => go(credential.replaces ?? '')}>the one before it</button></dd></> : null}
        {successor ? <><dt>Its place is taken by</dt><dd><button type="button" className={css.link} onClick={() => go(successor)}>the one after it</button></dd></> : null}
        <dt>Id</dt><dd><CopyId id={credential.id} whole /></dd>
      </dl>
      <Actions key={credential.id} row={row} onRotated={onRotated} />
      <Link to="/t/$tenant/audit" params={{ tenant: tenant.name }} search={{ agent: credential.agent, kind: 'access' } as never}>What is on record about its agent’s access</Link>
    </div>
  )
}

function Actions({ row, onRotated }: { row: CredentialRow; onRotated: (rotated: RotatedView) => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [doing, setDoing] = useState<Doing | null>(null)
  const { credential, successor } = row
  const release = useMutation({
    mutationFn: () => call('credential_release', { tenant: tenant.id, credential: credential.id }),
    onSuccess: async () => {
      tellDone(`${row.agent_name} may open a session with it again`)
      await queryClient.invalidateQueries()
    },
    onError: tellFailed,
  })
  if (!isUsable(credential)) return null
  const rotates = whyNot(row)
  return (
    <section className="stack tight">
      <h2>What can be done</h2>
      <div className="row wrap">
        {credential.state === 'suspended' ? <Act onClick={() => release.mutate()} loading={release.isPending}>Release</Act> : null}
        {successor === null ? <Act onClick={() => setDoing('rotate')} disabledReason={rotates}>Replace…</Act> : <Act onClick={() => setDoing('rollback')} disabledReason={credential.state === 'active' ? undefined : 'Only while the old one is good'}>Take the replacement back…</Act>}
        <Act tone="danger" onClick={() => setDoing('now')} disabledReason={successor === null ? rotates : undefined}>{successor === null ? 'Replace now…' : 'End it now…'}</Act>
        <Act tone="danger" onClick={() => setDoing('revoke')}>Revoke…</Act>
      </div>
      {doing ? <Ask doing={doing} row={row} onClose={() => setDoing(null)} onRotated={onRotated} /> : null}
    </section>
  )
}

/** Why another one cannot take its place; nothing where it can. */
export function whyNot({ credential, stage }: CredentialRow): string | undefined {
  if (credential.kind !== 'api_key') return 'Only an API key is replaced like this: issue another one of this kind'
  if (credential.state !== 'active') return 'Only one that may be used is replaced'
  if (stage === 'waiting') return 'Its holder has not come for it yet'
  return credential.overlap_ends ? 'It is being replaced already' : undefined
}

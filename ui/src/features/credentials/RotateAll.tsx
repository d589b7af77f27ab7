import { Progress, SegmentedControl, Select } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { Dialog } from '@/components/Dialog'
import { Loaded } from '@/components/Loaded'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { AgentId, RotatePreviewView } from '@/ipc/generated'
import { agentList, rotatePreview, type Meant } from '@/ipc/queries'
import { count, exactDuration, plural } from '@/lib/format'
import css from './Credentials.module.css'

/** Replaces the keys of an agent, or of the whole tenant, and shows how far it is. */
export function RotateAll({ onClose }: { onClose: () => void }) {
  const tenant = useTenant()
  const [address] = useAddress()
  const agents = useQuery(agentList(tenant.id)).data ?? []
  const [kind, setKind] = useState<'agent' | 'tenant'>('agent')
  const [chosen, setChosen] = useState<string | null>(address.agent ?? null)
  const [running, setRunning] = useState(false)
  const agent = agents.find((one) => one.id === chosen)
  const meant: Meant | undefined = kind === 'tenant' ? {} : agent && { agent: agent.id }
  return (
    <Dialog onClose={running ? () => undefined : onClose} closeOnClickOutside={false} closeOnEscape={!running} withCloseButton={!running} title="Replace API keys" size={600}>
      <div className="stack">
        <SegmentedControl aria-label="Of whom" fullWidth disabled={running} transitionDuration={0} value={kind} onChange={(value) => setKind(value as 'agent' | 'tenant')}
          data={[{ value: 'agent', label: 'Of one agent' }, { value: 'tenant', label: `Of tenant ${tenant.name}` }]} />
        {kind === 'agent' ? (
          <Select label="Agent" data-autofocus searchable disabled={running} placeholder={agents.length === 0 ? 'There is no agent' : 'Choose'} nothingFoundMessage="No such agent" value={chosen} onChange={setChosen}
            data={agents.map((one) => ({ value: one.id, label: one.name }))} />
        ) : null}
        {meant ? <Preview key={`${kind}${chosen}`} meant={meant} onRunning={setRunning} onClose={onClose} /> : null}
      </div>
    </Dialog>
  )
}

type Of = { meant: Meant; onRunning: (running: boolean) => void; onClose: () => void }

function Preview({ meant, onRunning, onClose }: Of) {
  const tenant = useTenant()
  const [begun, setBegun] = useState<RotatePreviewView | null>(null)
  const query = useQuery({ ...rotatePreview(tenant.id, meant), enabled: begun === null })
  return <Loaded query={query}>{(preview) => <Run preview={begun ?? preview} agent={meant.agent} onBegun={() => setBegun(preview)} onRunning={onRunning} onClose={onClose} />}</Loaded>
}

const PIECE = 25

type RunProps = { preview: RotatePreviewView; agent: AgentId | undefined; onBegun: () => void; onRunning: (running: boolean) => void; onClose: () => void }

function Run({ preview, agent, onBegun, onRunning, onClose }: RunProps) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [done, setDone] = useState<number | null>(null)
  const [running, setRunning] = useState(false)
  const [failed, setFailed] = useState(0)
  const [error, setError] = useState<unknown>(null)
  const stopped = useRef(false)
  const working = (now: boolean) => {
    setRunning(now)
    onRunning(now)
  }
  const run = async () => {
    onBegun()
    working(true)
    setError(null)
    stopped.current = false
    let [sum, left, before] = [done ?? 0, preview.keys, Number.POSITIVE_INFINITY]
    try {
      // Piece by piece: what is done stays done, and asking again goes on where it was left.
      while (!stopped.current && left > 0 && left < before) {
        before = left
        const answer = await call('credential_rotate_all', { tenant: tenant.id, ...(agent && { agent }), most: PIECE })
        sum += answer.rotated
        left = answer.left
        setDone(sum)
        setFailed(answer.failed)
      }
      if (left === 0) {
        tellDone(`${plural(sum, 'key')} replaced: the new ones wait for their holders`)
        working(false)
        await queryClient.invalidateQueries()
        onClose()
        return
      }
    } catch (thrown) {
      setError(thrown)
    }
    working(false)
    await queryClient.invalidateQueries()
  }
  const whole = Math.max(preview.keys, done ?? 0)
  return (
    <>
      <What preview={preview} />
      {done === null && !running ? null : (
        <div className="stack tight" role="status">
          <Progress aria-label="Keys replaced" value={whole === 0 ? 100 : ((done ?? 0) / whole) * 100} transitionDuration={0} />
          <span>{count(done ?? 0)} of {count(whole)} replaced{failed > 0 ? `; ${plural(failed, 'one', 'others').replace('one', 'other')} could not be, and go on: ask again later` : ''}</span>
        </div>
      )}
      {error ? <Problem error={error} /> : null}
      <div className="row spread">
        {running ? <Act onClick={() => { stopped.current = true }}>Stop here</Act> : <Act onClick={onClose}>{done === null ? 'Leave them' : 'Close'}</Act>}
        <Act tone="primary" onClick={() => void run()} loading={running} disabledReason={preview.keys === 0 ? 'There is no key to replace' : undefined}>{done === null ? `Replace ${plural(preview.keys, 'key')}` : 'Go on'}</Act>
      </div>
    </>
  )
}

function What({ preview }: { preview: RotatePreviewView }) {
  return (
    <section className="stack tight" aria-label="What is replaced">
      <p><b>Nobody is cut off.</b> {plural(preview.keys, 'key is', 'keys are')} replaced{preview.agents.length > 0 ? <>, of {plural(preview.agents.length, 'agent')}</> : null}. Each holder fetches the new key with the old one; the old one goes on for {exactDuration(preview.overlap_secs)} after the new one was first used.</p>
      {preview.first_end ? <p className="dim">Who has not come by then is cut off when the old key ends: the first one <Time at={preview.first_end} />.</p> : null}
      {preview.already > 0 || preview.others > 0 ? (
        <p className="dim">Left as they are: {[preview.already > 0 ? `${plural(preview.already, 'key')} that ${preview.already === 1 ? 'is' : 'are'} being replaced already` : '', preview.others > 0 ? `${plural(preview.others, 'credential')} of other kinds, which are issued anew by hand` : ''].filter(Boolean).join(', and ')}.</p>
      ) : null}
      {preview.agents.length > 0 ? <ul className={css.names} tabIndex={0} aria-label="Agents whose keys are replaced">{preview.agents.map((name) => <li key={name}>{name}</li>)}</ul> : null}
    </section>
  )
}

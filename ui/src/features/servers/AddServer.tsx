import { Modal, Stepper } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { DiscoveredTool } from '@/ipc/generated'
import { templateList } from '@/ipc/queries'
import { nameProblem } from '@/lib/names'
import { count } from '@/lib/format'
import { marked } from '@/lib/kinds'
import { ChooseTools } from './ChooseTools'
import { fromProblem } from './FromTemplate'
import { draftProblem, emptyDraft, transportOf, type Draft, type From } from './transport'
import { ReachForm } from './TransportForm'

/** Adds a server in two steps: how it is reached, then which of its tools are taken in. */
export function AddServer({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Add a server" size={760} closeOnClickOutside={false}>
      {opened ? <Steps onClose={onClose} /> : null}
    </Modal>
  )
}

function Steps({ onClose }: { onClose: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [draft, setDraft] = useState<Draft>(emptyDraft)
  const [found, setFound] = useState<DiscoveredTool[] | null>(null)
  const [chosen, setChosen] = useState<Set<string>>(new Set())

  const [from, setFrom] = useState<From | null>(null)
  const templates = useQuery(templateList())

  const probe = useMutation({
    mutationFn: async () => {
      const transport = from ? await call('template_fill', from) : transportOf(draft)
      return call('server_probe', { tenant: tenant.id, transport })
    },
    onSuccess: (tools) => {
      setFound(tools)
      setChosen(new Set(tools.filter((tool) => tool.problem === null).map(marked)))
    },
  })
  const create = useMutation({
    mutationFn: () => {
      const tools = (found ?? []).map((tool) => ({ kind: tool.kind, name: tool.name, fingerprint: tool.fingerprint, enabled: chosen.has(marked(tool)) }))
      return from
        ? call('server_create_from', { tenant: tenant.id, name, ...from, tools })
        : call('server_create', { tenant: tenant.id, name, transport: transportOf(draft), tools })
    },
    onSuccess: async ({ server }) => {
      tellDone(`${server.name} is behind the gateway. What it has is denied to every role until you change the matrix.`)
      await queryClient.invalidateQueries()
      void navigate({ to: '/t/$tenant/servers/$server', params: { tenant: tenant.name, server: server.id } })
    },
  })
  const template = templates.data?.find((one) => one.name === from?.template)
  const problem = nameProblem(name) ?? (from ? fromProblem(from, template) : draftProblem(draft))
  const kind = (from ? template?.transport.kind : draft.kind) ?? 'stdio'
  return (
    <div className="stack">
      <Stepper active={found ? 1 : 0} size="xs" iconSize={24} allowNextStepsSelect={false} onStepClick={(step) => step === 0 && setFound(null)}>
        <Stepper.Step label="How it is reached" />
        <Stepper.Step label="Its tools" />
      </Stepper>
      {found ? (
        <ChooseTools tools={found} chosen={chosen} onChange={setChosen} />
      ) : (
        <ReachForm name={name} onName={setName} draft={draft} onChange={setDraft} from={from} onFrom={setFrom} />
      )}
      {probe.error && !found ? <Problem error={probe.error} /> : null}
      {create.error ? <Problem error={create.error} /> : null}
      <div className="row spread">
        {found ? <Act onClick={() => setFound(null)}>Back</Act> : <Act onClick={onClose}>Cancel</Act>}
        {found ? (
          <Act tone="primary" onClick={() => create.mutate()} loading={create.isPending}>Add with {count(chosen.size)} enabled</Act>
        ) : (
          <Act tone="primary" onClick={() => probe.mutate()} loading={probe.isPending} disabledReason={problem}>
            {kind === 'stdio' ? 'Start it and ask for its tools' : 'Connect and ask for its tools'}
          </Act>
        )}
      </div>
    </div>
  )
}

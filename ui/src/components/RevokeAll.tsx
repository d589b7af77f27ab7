import { SegmentedControl, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { agentList } from '@/ipc/queries'
import { Dialog } from './Dialog'
import { EverythingForm, type Whose } from './RevokeEverything'
import { useTenant } from './tenant'

/** Chooses whose access is taken away altogether, and takes it. */
export function RevokeAll({ onClose }: { onClose: () => void }) {
  const tenant = useTenant()
  const agents = useQuery(agentList(tenant.id)).data ?? []
  const [kind, setKind] = useState<Whose['kind']>('agent')
  const [chosen, setChosen] = useState<string | null>(null)
  const agent = agents.find((one) => one.id === chosen)
  const whose: Whose | undefined = kind === 'tenant' ? { kind } : agent && { kind, agent }
  return (
    <Dialog onClose={onClose} title="Revoke everything" size={600}>
      <div className="stack">
        <SegmentedControl aria-label="Of whom" fullWidth transitionDuration={0} value={kind} onChange={(value) => setKind(value as Whose['kind'])}
          data={[{ value: 'agent', label: 'Of one agent' }, { value: 'tenant', label: `Of tenant ${tenant.name}` }]} />
        {kind === 'agent' ? (
          <Select label="Agent" data-autofocus searchable placeholder={agents.length === 0 ? 'There is no agent' : 'Choose'} nothingFoundMessage="No such agent" value={chosen} onChange={setChosen}
            data={agents.map((one) => ({ value: one.id, label: one.name }))} />
        ) : null}
        {whose ? <EverythingForm key={`${kind}${chosen}`} whose={whose} onClose={onClose} /> : null}
      </div>
    </Dialog>
  )
}

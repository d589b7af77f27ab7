import { Select } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { AgentView, OperatorId } from '@/ipc/generated'
import { operatorList } from '@/ipc/queries'

/** Who answers for an agent. Tools can bar that person from approving its calls. */
export function Responsible({ agent }: { agent: AgentView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [editing, setEditing] = useState(false)
  const operators = useQuery({ ...operatorList(), enabled: editing })
  const [chosen, setChosen] = useState<string | null>(agent.responsible?.id ?? null)
  const save = useMutation({
    mutationFn: () => call('agent_set_responsible', { tenant: tenant.id, agent: agent.id, ...(chosen && { operator: chosen as OperatorId }) }),
    onSuccess: async (saved) => {
      tellDone(saved.responsible ? `${saved.responsible.name} answers for ${saved.name}` : `Nobody answers for ${saved.name}`)
      await queryClient.invalidateQueries()
      setEditing(false)
    },
  })
  return (
    <section className="stack tight" aria-label={`Who answers for ${agent.name}`}>
      <h3>Who answers for it</h3>
      {editing ? (
        <form className="stack tight" style={{ maxWidth: 320 }} onSubmit={(event) => { event.preventDefault(); save.mutate() }}>
          <Select aria-label="Operator" autoFocus clearable placeholder="Nobody" value={chosen} onChange={setChosen}
            data={(operators.data ?? []).map((one) => ({ value: one.id, label: one.name }))} />
          {save.error ? <Problem error={save.error} /> : null}
          <div className="row">
            <Act onClick={() => setEditing(false)}>Cancel</Act>
            <Act type="submit" tone="primary" loading={save.isPending}>Save</Act>
          </div>
        </form>
      ) : (
        <>
          <span>{agent.responsible ? agent.responsible.name : <span className="dim">Nobody is named</span>}</span>
          <span className="dim small">Tools can bar this person from approving the agent’s calls.</span>
          <div><Act onClick={() => setEditing(true)}>{agent.responsible ? 'Change' : 'Name somebody'}</Act></div>
        </>
      )}
    </section>
  )
}

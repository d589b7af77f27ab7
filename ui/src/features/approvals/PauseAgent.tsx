import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { tellDone } from '@/components/notices'
import { call } from '@/ipc/call'
import type { ApprovalView, OperatorRole } from '@/ipc/generated'
import { status } from '@/ipc/queries'

/** Stops an agent that asks too much, wherever its card is looked at. It only takes away. */
export function PauseAgent({ view }: { view: ApprovalView }) {
  const queryClient = useQueryClient()
  const role = useQuery(status()).data?.operator?.role
  const name = view.row.agent_name
  const ask = () =>
    confirm({
      title: `Pause ${name}?`,
      body: 'Its next request is refused, and all that it asked for is taken back: every call that waits, not only this one. Nothing is removed; it is resumed on its page.',
      action: 'Pause the agent',
      otherwise: 'Let it go on',
      run: async () => {
        await call('agent_pause', { tenant: view.row.tenant, agent: view.agent })
        tellDone(`${name} is paused`)
        await queryClient.invalidateQueries()
      },
    })
  return <Act tone="quiet" onClick={ask} disabledReason={role && !pauses.includes(role) ? 'Only owners and approvers pause an agent here' : undefined}>Pause this agent…</Act>
}

const pauses: OperatorRole[] = ['owner', 'approver']

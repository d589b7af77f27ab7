import { useMutation } from '@tanstack/react-query'
import { Act } from '@/components/Act'
import { IconShieldCheck } from '@/components/icons'
import { Mark } from '@/components/Mark'
import { tellFailed } from '@/components/notices'
import { call } from '@/ipc/call'
import { count } from '@/lib/format'

/** Checks the whole chain and says how far it holds. */
export function ChainButton() {
  const verify = useMutation({ mutationFn: () => call('audit_verify'), onError: tellFailed })
  const chain = verify.data
  return (
    <>
      {chain ? (
        <span role="status">
          {chain.whole ? (
            <Mark tone="good">{`All ${count(chain.events)} events hold`}</Mark>
          ) : (
            <Mark tone="bad">{`Holds up to event ${count(chain.verified_to)} of ${count(chain.events)}. ${chain.problem ?? ''}`}</Mark>
          )}
        </span>
      ) : null}
      <Act leftSection={<IconShieldCheck size={14} />} onClick={() => verify.mutate()} loading={verify.isPending}>Verify the chain</Act>
    </>
  )
}

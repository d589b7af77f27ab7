import type { CredentialView } from '@/ipc/generated'
import { expiresSoon } from '@/lib/expiry'
import { Mark } from './Mark'
import { Time, useNow } from './Time'

/** When a credential ends; marked when it is time for the next one. */
export function Expires({ credential }: { credential: Pick<CredentialView, 'created' | 'expires' | 'state'> }) {
  const now = useNow()
  if (credential.state !== 'active' || !expiresSoon(credential, now)) return <Time at={credential.expires} />
  return <Mark tone="care" title="Time for the next one"><Time at={credential.expires} /></Mark>
}

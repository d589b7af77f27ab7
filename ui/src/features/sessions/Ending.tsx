import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { tellDone } from '@/components/notices'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { SessionView } from '@/ipc/generated'
import { plural } from '@/lib/format'

const nameOf = (session: SessionView) => session.key_id ?? 'its credential'

/** Ends a session, after saying what that does. */
export function EndNow({ session }: { session: SessionView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const end = useMutation({
    mutationFn: () => call('session_end', { tenant: tenant.id, session: session.id }),
    onSuccess: async () => {
      tellDone(`The session of ${session.agent_name} is over`)
      await queryClient.invalidateQueries()
    },
  })
  const waiting = session.waiting > 0 ? ` ${plural(session.waiting, 'call that waits for approval is', 'calls that wait for approval are')} withdrawn.` : ''
  const ask = () =>
    confirm({
      title: `End the session of ${session.agent_name}?`,
      body: `Its next request is refused, and ${nameOf(session)} is suspended until you release it: ${session.agent_name} cannot open another session with it. ${plural(session.calls, 'call')} so far.${waiting}`,
      action: 'End the session',
      run: () => end.mutateAsync(),
    })
  return (
    <span onClick={(event) => event.stopPropagation()}>
      <Act tone="danger" onClick={ask}>End now</Act>
    </span>
  )
}

/** Releases the credential that the end of a session has suspended; nothing where it is not. */
export function Release({ session }: { session: SessionView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const release = useMutation({
    mutationFn: () => call('credential_release', { tenant: tenant.id, credential: session.credential }),
    onSuccess: async () => {
      tellDone(`${session.agent_name} may open a session again`)
      await queryClient.invalidateQueries()
    },
  })
  if (session.credential_state !== 'suspended') return null
  const ask = () =>
    confirm({
      title: `Release the credential of ${session.agent_name}?`,
      body: `With its next request ${session.agent_name} can open another session with ${nameOf(session)}. The one that was ended stays over.`,
      action: 'Release it',
      run: () => release.mutateAsync(),
    })
  return (
    <span onClick={(event) => event.stopPropagation()}>
      <Act onClick={ask}>Release</Act>
    </span>
  )
}

import { Checkbox } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '@/ipc/call'
import type { HaltedView } from '@/ipc/generated'
import { exactUtc } from '@/lib/format'
import { Act } from './Act'
import { Dialog } from './Dialog'
import { tellDone } from './notices'
import { Problem } from './Problem'
import { useNow } from './Time'

/** Has housekeeping go on that stands still because the clock was set, once somebody has looked. */
export function GoOn({ halted, onClose }: { halted: HaltedView; onClose: () => void }) {
  const queryClient = useQueryClient()
  const [looked, setLooked] = useState(false)
  const now = useNow(1_000)
  const resume = useMutation({
    mutationFn: () => call('housekeeping_resume'),
    onSuccess: async () => {
      tellDone('Housekeeping goes on')
      onClose()
      await queryClient.invalidateQueries()
    },
  })
  return (
    <Dialog onClose={onClose} title="Housekeeping stands still" size={560}>
      <div className="stack">
        <p>On {exactUtc(halted.since)} the clock was found set {halted.why}. By such a clock anything could be due, so nothing is done about credentials until a person has looked.</p>
        <dl className="facts">
          <dt>The clock of this window</dt><dd className="mono">{exactUtc(new Date(now).toISOString() as HaltedView['since']).slice(0, 19)} UTC</dd>
        </dl>
        <p><b>If the clock is wrong,</b> set it right on the machine of the gateway first. Calls are judged by it all the while: what has expired stays refused.</p>
        <p><b>If it is right,</b> have housekeeping go on: whatever is due by now is done at once, and it goes on record that you had looked.</p>
        <Checkbox label="I have looked: the clock of the gateway is right" checked={looked} onChange={(event) => setLooked(event.currentTarget.checked)} />
        {resume.error ? <Problem error={resume.error} /> : null}
        <div className="row spread">
          <Act onClick={onClose} data-autofocus>Leave it</Act>
          <Act tone="primary" onClick={() => resume.mutate()} loading={resume.isPending} disabledReason={looked ? undefined : 'Say first that you have looked'}>Go on</Act>
        </div>
      </div>
    </Dialog>
  )
}

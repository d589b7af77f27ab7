import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Checkbox } from '@mantine/core'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { PassphraseField } from '@/components/PassphraseField'
import { Problem } from '@/components/Problem'
import type { SecretsView } from '@/ipc/generated'
import { secretsShow } from '@/ipc/queries'

type Props = { title: string; children: ReactNode; action: string; place: string; run: (owner: string, leave: boolean) => Promise<SecretsView>; onClose: () => void }

/** Asks for an owner's passphrase before secrets are erased, or left in a place that nobody reaches any more. */
export function OwnerAgrees({ title, children, action, place, run, onClose }: Props) {
  const queryClient = useQueryClient()
  const [owner, setOwner] = useState('')
  const [leave, setLeave] = useState(false)
  const act = useMutation({
    mutationFn: () => run(owner, leave),
    onSuccess: onClose,
    onSettled: () => {
      setOwner('')
      return queryClient.invalidateQueries(secretsShow())
    },
  })
  // What came of it is to be seen.
  const close = () => act.isPending || onClose()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (owner !== '' && !act.isPending) act.mutate()
  }
  return (
    <Dialog onClose={close} title={title}>
      <form onSubmit={submit} className="stack">
        <p>{children}</p>
        <Checkbox label={`Leave what is in ${place} there`} description="Only where it cannot be reached any more. Nobody erases it then but whoever keeps that place." checked={leave} onChange={(event) => setLeave(event.currentTarget.checked)} />
        <PassphraseField label="Your passphrase" autoFocus value={owner} onChange={setOwner} />
        {act.error ? <Problem error={act.error} /> : null}
        <div className="row spread">
          <Act onClick={close} disabledReason={act.isPending ? 'It is being done' : undefined}>Cancel</Act>
          <Act type="submit" tone="danger" loading={act.isPending} disabledReason={owner === '' ? 'Give your passphrase first' : undefined}>{leave ? 'Leave it there' : action}</Act>
        </div>
      </form>
    </Dialog>
  )
}

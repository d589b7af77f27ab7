import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { PassphraseField } from '@/components/PassphraseField'
import { Problem } from '@/components/Problem'
import type { SecretsView } from '@/ipc/generated'
import { secretsShow } from '@/ipc/queries'

type Props = { title: string; children: ReactNode; action: string; run: (owner: string) => Promise<SecretsView>; onClose: () => void }

/** Asks for an owner's passphrase before secrets are erased. */
export function OwnerAgrees({ title, children, action, run, onClose }: Props) {
  const queryClient = useQueryClient()
  const [owner, setOwner] = useState('')
  const act = useMutation({
    mutationFn: () => run(owner),
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
        <PassphraseField label="Your passphrase" autoFocus value={owner} onChange={setOwner} />
        {act.error ? <Problem error={act.error} /> : null}
        <div className="row spread">
          <Act onClick={close} disabledReason={act.isPending ? 'It is being done' : undefined}>Cancel</Act>
          <Act type="submit" tone="danger" loading={act.isPending} disabledReason={owner === '' ? 'Give your passphrase first' : undefined}>{action}</Act>
        </div>
      </form>
    </Dialog>
  )
}

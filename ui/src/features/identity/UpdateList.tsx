import { Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { OutsideAuthorityView } from '@/ipc/generated'
import { pemProblem } from '@/lib/pem'
import css from './Identity.module.css'

/** Replaces the revocation lists of an outside authority. */
export function UpdateList({ authority, onClose }: { authority: OutsideAuthorityView; onClose: () => void }) {
  return (
    <Dialog onClose={onClose} title={`Update the revocation list of ${authority.name}`} size={620}>
      <Form authority={authority} onClose={onClose} />
    </Dialog>
  )
}

function Form({ authority, onClose }: { authority: OutsideAuthorityView; onClose: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [crl, setCrl] = useState('')
  const update = useMutation({
    mutationFn: () => call('authority_list_update', { tenant: tenant.id, authority: authority.id, crl: crl.trim() }),
    onSuccess: async () => {
      tellDone(`The revocation lists of ${authority.name} hold from the next request on`)
      await queryClient.invalidateQueries()
      onClose()
    },
  })
  const wrong = pemProblem(crl, 'crl')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!wrong) update.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      <Textarea label="All its lists (PEM)" description="They take the place of those that are there; an older list than the one that is there is refused" rows={8} data-autofocus spellCheck={false} autoComplete="off" placeholder="-----BEGIN X509 CRL-----"
        classNames={{ input: css.mono ?? '' }} value={crl} onChange={(event) => setCrl(event.currentTarget.value)} error={crl && wrong} />
      {update.error ? <Problem error={update.error} /> : null}
      <div className="row spread">
        <Act onClick={onClose}>Cancel</Act>
        <Act type="submit" tone="primary" loading={update.isPending} disabledReason={wrong}>Update the list</Act>
      </div>
    </form>
  )
}

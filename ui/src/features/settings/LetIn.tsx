import { TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { call } from '@/ipc/call'
import type { ServingView } from '@/ipc/generated'
import { readAddress } from './serving'
import css from './SettingsPage.module.css'

/** Where consoles on other machines are let in; nowhere, when it is emptied. */
export function LetIn({ serving, onClose }: { serving: ServingView; onClose: () => void }) {
  const queryClient = useQueryClient()
  const before = serving.wanted.consoles ?? ''
  const [address, setAddress] = useState(before || '0.0.0.0:7412')
  const typed = address.trim()
  const save = useMutation({
    mutationFn: () => {
      const { consoles: _, ...rest } = serving.wanted
      return call('serving_set', { settings: typed === '' ? rest : { ...rest, consoles: typed } })
    },
    onSuccess: async (now) => {
      tellDone(now.consoles.listen === null ? 'No console on another machine is let in' : `Consoles are let in at ${now.consoles.listen}`)
      await queryClient.invalidateQueries()
      onClose()
    },
  })
  const wrong = typed === '' || readAddress(typed) ? undefined : 'An address with a port: 0.0.0.0:7412 or [::]:7412'
  const problem = wrong ?? (typed === before ? 'Nothing is changed yet' : undefined)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) save.mutate()
  }
  return (
    <Dialog onClose={onClose} title="Where consoles on other machines are let in">
      <form onSubmit={submit} className="stack">
        <TextInput label="Let them in at" description="An address of this machine with a port; 0.0.0.0 is all of them. Empty: nowhere" data-autofocus autoComplete="off" spellCheck={false} classNames={{ input: css.mono ?? '' }} value={address} onChange={(event) => setAddress(event.currentTarget.value)} error={wrong} />
        <p className="dim small">Only consoles that were enrolled get in. {before === '' ? '' : 'Those that are connected now are cut off, and connect anew where they are let in.'}</p>
        {save.error ? <Problem error={save.error} /> : null}
        <div className="row spread">
          <Act onClick={onClose}>Cancel</Act>
          <Act type="submit" tone="primary" loading={save.isPending} disabledReason={problem}>{typed === '' ? 'Let none in' : 'Let them in'}</Act>
        </div>
      </form>
    </Dialog>
  )
}

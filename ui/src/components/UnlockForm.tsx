import { PasswordInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from './Act'
import { Problem } from './Problem'
import { call } from '@/ipc/call'
import { status } from '@/ipc/queries'
import css from './UnlockForm.module.css'

type Props = { title?: string; lead?: string }

/** The only thing that a locked window shows besides its state. */
export function UnlockForm({
  title = 'Unlock the console',
  lead = 'The gateway goes on enforcing the policy while the console is locked. Waiting calls go on waiting.',
}: Props) {
  const [passphrase, setPassphrase] = useState('')
  const queryClient = useQueryClient()
  const unlock = useMutation({
    mutationFn: (given: string) => call('unlock', { passphrase: given }),
    onSuccess: (answer) => {
      queryClient.setQueryData(status().queryKey, answer)
      void queryClient.invalidateQueries()
    },
    onSettled: () => setPassphrase(''),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (passphrase) unlock.mutate(passphrase)
  }
  return (
    <form onSubmit={submit} className={css.form}>
      <h1>{title}</h1>
      <p className="dim">{lead}</p>
      <PasswordInput
        label="Passphrase"
        autoFocus
        autoComplete="current-password"
        value={passphrase}
        onChange={(event) => setPassphrase(event.currentTarget.value)}
      />
      {unlock.error ? <Problem error={unlock.error} /> : null}
      <Act
        type="submit"
        tone="primary"
        size="sm"
        loading={unlock.isPending}
        disabledReason={passphrase ? undefined : 'Type your passphrase first'}
      >
        Unlock
      </Act>
    </form>
  )
}

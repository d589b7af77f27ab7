import { Checkbox, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { Problem } from '@/components/Problem'
import { call } from '@/ipc/call'
import type { StatusView } from '@/ipc/generated'
import { status as statusQuery } from '@/ipc/queries'
import { strength } from '@/lib/strength'
import { mayJoin } from '@/ipc/windows'
import css from './FirstRun.module.css'
import { JoinGateway } from './JoinGateway'
import { StrengthBar } from './StrengthBar'

const kept: Record<StatusView['secret_store'], string> = {
  keychain: 'Your signing key is kept in this system’s keychain, sealed with the passphrase.',
  memory: 'Your signing key is kept in memory and is gone with this process: this is a test.',
  file: 'Your signing key is kept in the sealed file secrets.age in the home folder, because this home was set up without a keychain.',
  vault: 'Your signing key is kept in Vault, sealed with the passphrase.',
}

type Props = {
  status: StatusView
  onBegun: () => void
  onEnded: () => void
}

/**
 * The first start: who is the owner, and whether to begin with the starter. It stays until both
 * are there, so that the console opens on what was loaded, and what failed is read.
 */
export function FirstRun(props: Props) {
  const [joining, setJoining] = useState(false)
  if (joining) return <JoinGateway attached={null} onBack={() => setJoining(false)} />
  return <SetUp {...props} onJoin={mayJoin() ? () => setJoining(true) : undefined} />
}

function SetUp({ status, onBegun, onEnded, onJoin }: Props & { onJoin: (() => void) | undefined }) {
  const [name, setName] = useState('')
  const [passphrase, setPassphrase] = useState('')
  const [again, setAgain] = useState('')
  const [starter, setStarter] = useState(true)
  const queryClient = useQueryClient()
  const begin = useMutation({
    mutationFn: () => call('first_run', { name: name.trim(), passphrase, starter }),
    onMutate: onBegun,
    onSuccess: (answer) => {
      queryClient.setQueryData(statusQuery().queryKey, answer)
      void queryClient.invalidateQueries()
      onEnded()
    },
    onError: () => queryClient.invalidateQueries(statusQuery()),
  })
  const withoutStarter = begin.isError && status.phase === 'ready'
  const judged = strength(passphrase)
  const missing = whatIsMissing(name, passphrase, again)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (missing === undefined && !begin.isPending && !withoutStarter) begin.mutate()
  }
  return (
    <main className={css.page}>
      <form onSubmit={submit} className={css.form}>
        <header>
          <div className={css.brand}>Countersign</div>
          <h1>Set up this console</h1>
          <p className="dim">
            You become its owner: you decide what agents may do, and you sign the calls that a rule alone must not
            allow.
          </p>
        </header>
        <TextInput label="Your name" description="Stands beside every decision you take" autoFocus value={name}
          onChange={(event) => setName(event.currentTarget.value)} autoComplete="name" />
        <div className="stack tight">
          <PasswordInput label="Passphrase" description="Seals your signing key. Nobody can reset it." value={passphrase}
            onChange={(event) => setPassphrase(event.currentTarget.value)} autoComplete="new-password" />
          <StrengthBar text={passphrase} judged={judged} />
        </div>
        <PasswordInput label="Passphrase again" value={again} onChange={(event) => setAgain(event.currentTarget.value)}
          error={again !== '' && again !== passphrase ? 'Not the same as above' : undefined} autoComplete="new-password" />
        <Checkbox checked={starter} onChange={(event) => setStarter(event.currentTarget.checked)}
          label="Begin with the starter"
          description="Tenant acme with a sample server in a sandbox folder, four roles, four agents and their matrix. It can be removed without trace." />
        <p className={css.note}>{kept[status.secret_store]}</p>
        {begin.error ? <Problem error={begin.error} /> : null}
        {withoutStarter ? (
          <Act tone="primary" size="sm" onClick={onEnded}>Go on without the starter</Act>
        ) : (
          <Act type="submit" tone="primary" size="sm" loading={begin.isPending} disabledReason={missing}>
            Set up
          </Act>
        )}
        {onJoin ? <div><Act tone="quiet" onClick={onJoin}>Join another console’s gateway instead</Act></div> : null}
        <p className="dim small">
          Home: <code>{status.home}</code>
        </p>
      </form>
    </main>
  )
}

function whatIsMissing(name: string, passphrase: string, again: string): string | undefined {
  if (name.trim() === '') return 'Your name is missing'
  const judged = strength(passphrase)
  if (judged.level === 0) return judged.advice ?? 'The passphrase is too short'
  return again === passphrase ? undefined : 'Type the same passphrase twice'
}

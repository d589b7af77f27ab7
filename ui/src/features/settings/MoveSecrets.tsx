import { Radio, Select, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { CopyButton } from '@/components/Copy'
import { Dialog } from '@/components/Dialog'
import { tellDone } from '@/components/notices'
import { PassphraseField } from '@/components/PassphraseField'
import { Problem } from '@/components/Problem'
import { call } from '@/ipc/call'
import type { SecretsView } from '@/ipc/generated'
import { toIpcError } from '@/ipc/failure'
import { secretsShow, status } from '@/ipc/queries'
import { addressProblem, fileProblem, nowhere, storeName, storeWord, vaultOf, vaultProblem, type Store, type VaultForm } from './secrets'
import css from './SettingsPage.module.css'

const stores: Store[] = ['keychain', 'file', 'vault']

/** Asks where secrets are to be moved to, and moves them. One that was begun goes where it was to go. */
export function MoveSecrets({ view, onClose }: { view: SecretsView; onClose: () => void }) {
  const queryClient = useQueryClient()
  const begun = stores.find((it) => it === view.moving?.other)
  const places = begun === undefined ? stores.filter((it) => it === 'vault' || it !== view.store) : [begun]
  const [to, setTo] = useState<Store>(places[0] ?? 'vault')
  const [vault, setVault] = useState(nowhere)
  // Where a move that was begun goes is known.
  const asks = to === 'vault' && begun === undefined
  const [owner, setOwner] = useState('')
  const move = useMutation({
    mutationFn: () => call('secrets_move', { to, owner, ...(asks ? { vault: vaultOf(vault) } : {}) }),
    onSuccess: async (now) => {
      tellDone(`Secrets are kept in ${storeName[now.store]}`)
      await queryClient.invalidateQueries(status())
      onClose()
    },
    onSettled: () => {
      setOwner('')
      return queryClient.invalidateQueries(secretsShow())
    },
  })
  // What came of it is to be seen.
  const close = () => move.isPending || onClose()
  const problem = (asks ? vaultProblem(vault) : undefined) ?? (owner === '' ? 'Give your passphrase first' : undefined)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem && !move.isPending) move.mutate()
  }
  return (
    <Dialog onClose={close} title={begun === undefined ? 'Move the secrets' : `Go on moving to ${storeName[begun]}`} size={asks ? 600 : 'md'}>
      <form onSubmit={submit} className={css.move}>
        <p className="dim">Each is copied and read back; only then are those {view.store === 'vault' ? 'that are in Vault now' : `of ${storeName[view.store]}`} erased. Agents notice nothing.</p>
        {begun === undefined ? (
          <Radio.Group label="To" value={to} onChange={(value) => setTo(value as Store)}>
            <div className={css.choices}>
              {places.map((it) => <Radio key={it} value={it} size="xs" label={it === 'vault' && view.store === 'vault' ? 'Another place in Vault or OpenBao' : storeWord[it]} {...(it === to && { 'data-autofocus': true })} />)}
            </div>
          </Radio.Group>
        ) : null}
        {asks ? <Place vault={vault} onChange={(key, value) => setVault((before) => ({ ...before, [key]: value }))} /> : null}
        {view.moving?.vault ? <p>Vault, at <code className={css.path}>{view.moving.vault.address}</code></p> : null}
        <PassphraseField label="Your passphrase" {...(to === 'file' && { description: 'It opens the file from then on' })} autoFocus={begun !== undefined} value={owner} onChange={setOwner} />
        {move.error ? <Problem error={move.error} /> : null}
        <div ref={move.error ? intoView : null} className={`row spread ${css.foot}`}>
          <Act onClick={close} disabledReason={move.isPending ? 'They are being moved' : undefined}>Cancel</Act>
          <Act type="submit" tone="primary" loading={move.isPending} disabledReason={problem}>Move them</Act>
        </div>
      </form>
    </Dialog>
  )
}

const intoView = (shown: HTMLElement | null) => shown?.scrollIntoView({ block: 'nearest' })

type PlaceProps = { vault: VaultForm; onChange: (key: keyof VaultForm, value: string) => void }

/** Where Vault is, and how it is logged in to. */
function Place({ vault, onChange }: PlaceProps) {
  const field = (key: keyof VaultForm, problem?: (typed: string) => string | undefined) => ({
    autoComplete: 'off', spellCheck: false, value: vault[key], classNames: { input: css.mono ?? '' },
    error: problem === undefined || vault[key].trim() === '' ? undefined : problem(vault[key].trim()),
    onChange: (event: { currentTarget: HTMLInputElement }) => onChange(key, event.currentTarget.value),
  })
  const approle = vault.method === 'approle'
  return (
    <>
      <div className={css.pair}>
        <TextInput label="Address of Vault" placeholder="https://vault.example:8200" {...field('address', addressProblem)} />
        <TextInput label="Certificates to believe" placeholder="those that the system does" {...field('ca', fileProblem)} />
        <TextInput label="Namespace" placeholder="none" {...field('namespace')} />
        <div className={css.pair}>
          <TextInput label="Engine’s mount" placeholder="secret" {...field('mount')} />
          <TextInput label="Path below it" placeholder="countersign" {...field('path')} />
        </div>
        <Select label="Log in with" data={[{ value: 'approle', label: 'AppRole' }, { value: 'jwt', label: 'JWT' }]} allowDeselect={false} value={vault.method} onChange={(value) => onChange('method', value ?? 'approle')} />
        <TextInput label="Which is mounted at" placeholder={vault.method} {...field('login')} />
        <TextInput label={approle ? 'Role id' : 'Role'} {...field('role')} />
        <TextInput label={approle ? 'File with the secret id' : 'File with the JWT'} placeholder="/run/secrets/vault" {...field('file', fileProblem)} />
      </div>
      <p className="dim small">Files are on the gateway’s machine; the one that logs in is read at each login.</p>
      <Policy mount={vault.mount.trim()} path={vault.path.trim()} />
    </>
  )
}

/** What the role has to be allowed, before anything can be moved there. */
function Policy({ mount, path }: { mount: string; path: string }) {
  const { data, error } = useQuery(secretsShow({ ...(mount && { mount }), ...(path && { path }) }))
  if (error) return <p role="alert" className={css.note}>{toIpcError(error).message}</p>
  return (
    <details>
      <summary>The policy that the role needs in Vault</summary>
      <div className={css.policy}>
        <pre tabIndex={0}>{data?.policy}</pre>
        <CopyButton text={data?.policy ?? ''} label="Copy the policy of Vault" />
      </div>
    </details>
  )
}

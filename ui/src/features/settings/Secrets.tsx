import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { CopyButton } from '@/components/Copy'
import { Loaded } from '@/components/Loaded'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { MovingView, SecretsView, VaultAt } from '@/ipc/generated'
import { secretsShow } from '@/ipc/queries'
import { Leaks } from './Leaks'
import { MoveSecrets } from './MoveSecrets'
import { OwnerAgrees } from './OwnerAgrees'
import { storeName, storeWord } from './secrets'
import css from './SettingsPage.module.css'

type Wanted = 'erase' | 'move' | 'stay'

/** Where the installation keeps its own secrets. */
export function Secrets({ isOwner }: { isOwner: boolean }) {
  const query = useQuery(secretsShow())
  const [wants, setWants] = useState<Wanted>()
  const audit = useMutation({ mutationFn: () => call('secrets_audit') })
  const mayChange = isOwner ? undefined : 'Only an owner says where secrets are kept'
  const close = () => setWants(undefined)
  return (
    <Loaded query={query}>
      {(view) => (
        <>
          <p className="dim">The master key, the sealed keys of operators and the keys that issue are kept outside the registry.</p>
          <dl className="facts">
            <dt>Kept in</dt>
            <dd>{view.vault === null ? storeWord[view.store] : <>Vault, at <code className={css.path}>{view.vault.address}</code></>}</dd>
            {view.vault === null ? null : <Vault at={view.vault} />}
            {view.vault === null ? null : <><dt>Policy</dt><dd className="row"><span>allows what is needed there, and nothing else</span><CopyButton text={view.policy} label="Copy the policy of Vault" /></dd></>}
          </dl>
          {view.moving === null ? null : <Unfinished moving={view.moving} store={view.store} />}
          {audit.error ? <Problem error={audit.error} /> : null}
          {audit.data ? <Leaks audit={audit.data} /> : null}
          <div className="row wrap">
            {view.moving?.copied === true ? (
              <Act onClick={() => setWants('erase')} disabledReason={mayChange}>Erase what is left</Act>
            ) : (
              <Act onClick={() => setWants('move')} disabledReason={mayChange}>{view.moving === null ? 'Move the secrets' : 'Go on moving'}</Act>
            )}
            {view.moving?.copied === false ? <Act onClick={() => setWants('stay')} disabledReason={mayChange}>Give the move up</Act> : null}
            <Act onClick={() => audit.mutate()} loading={audit.isPending} disabledReason={isOwner ? undefined : 'Only an owner looks for leaks'}>Look for leaks</Act>
          </div>
          {wants === 'move' ? <MoveSecrets view={view} onClose={close} /> : null}
          {wants === 'erase' && view.moving !== null ? <Erase store={view.store} moving={view.moving} onClose={close} /> : null}
          {wants === 'stay' && view.moving !== null ? <Stay moving={view.moving} store={view.store} onClose={close} /> : null}
        </>
      )}
    </Loaded>
  )
}

function Vault({ at }: { at: VaultAt }) {
  const mounted = at.login.mount ?? at.login.method
  return (
    <>
      {at.namespace === undefined ? null : <><dt>Namespace</dt><dd><code className={css.path}>{at.namespace}</code></dd></>}
      <dt>Path</dt><dd><code className={css.path}>{at.mount ?? 'secret'}/{at.path ?? 'countersign'}</code></dd>
      <dt>Logs in as</dt>
      <dd>
        {at.login.method === 'approle' ? 'AppRole' : 'JWT role'} <code className={css.path}>{at.login.role}</code>{mounted === at.login.method ? null : <> at <code className={css.path}>{mounted}</code></>}, with <code className={css.path}>{at.login.file}</code>
      </dd>
      {at.ca_file === undefined ? null : <><dt>Certificates</dt><dd><code className={css.path}>{at.ca_file}</code></dd></>}
    </>
  )
}

function Unfinished({ moving, store }: { moving: MovingView; store: SecretsView['store'] }) {
  return (
    <p className={css.note} role="note">
      {moving.copied
        ? <>They were moved <Time at={moving.began} /> and are kept in {storeName[store]}; those that are left in {storeName[moving.other]} are not erased yet.</>
        : <>A move to {storeName[moving.other]} began <Time at={moving.began} /> and is not done. They are still kept in {storeName[store]}: go on with it, or give it up.</>}
    </p>
  )
}

function Erase({ store, moving, onClose }: { store: SecretsView['store']; moving: MovingView; onClose: () => void }) {
  const left = storeName[moving.other]
  const run = async (owner: string, leave: boolean) => {
    const now = await call('secrets_erase', { owner, leave })
    tellDone(leave ? `The secrets in ${left} were left there` : `Nothing is left in ${left}`)
    return now
  }
  return (
    <OwnerAgrees title={`Erase what is left in ${left}?`} action="Erase it" place={left} run={run} onClose={onClose}>
      The copies in {storeName[store]} are what counts, and nobody is cut off. What is left in {left} cannot be brought back.
    </OwnerAgrees>
  )
}

function Stay({ moving, store, onClose }: { moving: MovingView; store: SecretsView['store']; onClose: () => void }) {
  const run = async (owner: string, leave: boolean) => {
    const now = await call('secrets_stay', { owner, leave })
    tellDone(`Secrets stay in ${storeName[store]}`)
    return now
  }
  return (
    <OwnerAgrees title="Give the move up?" action="Give it up" place={storeName[moving.other]} run={run} onClose={onClose}>
      The copies that were made in {storeName[moving.other]} are erased. The secrets stay in {storeName[store]}, and nobody is cut off.
    </OwnerAgrees>
  )
}

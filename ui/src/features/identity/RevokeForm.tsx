import { Autocomplete, SegmentedControl, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { ReasonField } from '@/components/ReasonField'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { ProviderView } from '@/ipc/generated'
import { providerList } from '@/ipc/queries'
import { plural } from '@/lib/format'
import { reasonProblem } from '@/lib/reason'
import css from './Identity.module.css'
import { revokedOf, revokeProblem, type Draft, type TokenKind } from './revoke'

/** What a form begins with. */
export type Wanted = Pick<Draft, 'kind' | 'issuer'> & Partial<Draft>

const kinds: { value: TokenKind; label: string }[] = [
  { value: 'token', label: 'One token' }, { value: 'key', label: 'An issuer’s key' }, { value: 'subject', label: 'A subject' }, { value: 'issuer', label: 'An issuer' },
]

/** Withdraws tokens before their time: one, or all that somebody has. */
export function RevokeForm({ wanted, onClose }: { wanted: Wanted; onClose: () => void }) {
  return (
    <Dialog onClose={onClose} title="Revoke" size={620}>
      <Form wanted={wanted} onClose={onClose} />
    </Dialog>
  )
}

function Form({ wanted, onClose }: { wanted: Wanted; onClose: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const providers = useQuery(providerList(tenant.id)).data ?? []
  const [draft, setDraft] = useState<Draft>({ id: '', keyId: '', subject: '', ...wanted })
  const [reason, setReason] = useState('')
  const set = (patch: Partial<Draft>) => setDraft({ ...draft, ...patch })
  const revoke = useMutation({
    mutationFn: () => call('revocation_add', { tenant: tenant.id, what: revokedOf(draft, Date.now()), reason: reason.trim() }),
    onSuccess: async (added) => {
      tellDone(added.sentence)
      onClose()
      await queryClient.invalidateQueries()
    },
  })
  const problem = revokeProblem(draft) ?? reasonProblem(reason)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) revoke.mutate()
  }
  const input = { classNames: { input: css.mono ?? '' }, autoComplete: 'off', spellCheck: false }
  return (
    <form onSubmit={submit} className="stack">
      <SegmentedControl aria-label="What is revoked" fullWidth transitionDuration={0} data={kinds} value={draft.kind} onChange={(kind) => set({ kind: kind as Draft['kind'] })} />
      <Autocomplete label="Issuer" description="Its iss, byte by byte" data={providers.map((one) => one.settings.issuer)} value={draft.issuer} onChange={(issuer) => set({ issuer })} {...input} />
      {draft.kind === 'token' ? <TextInput label="Id of the token" description="Its jti; the SHA-256 of its text where it has none" value={draft.id} onChange={(event) => set({ id: event.currentTarget.value })} {...input} /> : null}
      {draft.kind === 'key' ? <Autocomplete label="Id of the key" description="Its kid" data={keysOf(providers, draft.issuer)} value={draft.keyId} onChange={(keyId) => set({ keyId })} {...input} /> : null}
      {draft.kind === 'subject' ? <TextInput label="Subject" description="As the provider’s claim map finds it" value={draft.subject} onChange={(event) => set({ subject: event.currentTarget.value })} {...input} /> : null}
      <ReasonField value={reason} onChange={setReason} />
      <p className={css.warning}>{consequence(draft, providers)}</p>
      {revoke.error ? <Problem error={revoke.error} /> : null}
      <div className="row spread">
        <Act onClick={onClose}>Keep</Act>
        <Act type="submit" tone="danger" loading={revoke.isPending} disabledReason={problem}>Revoke</Act>
      </div>
    </form>
  )
}

const keysOf = (providers: ProviderView[], issuer: string) => [
  ...new Set(providers.filter((one) => one.settings.issuer === issuer).flatMap((one) => one.status.keys.map((key) => key.key_id))),
]

/** What will stop working, and who is cut off. */
function consequence({ kind, issuer }: Draft, providers: ProviderView[]): string {
  const known = providers.find((one) => one.settings.issuer === issuer.trim())
  const whose = known ? `${plural(known.subjects, 'subject')} of ${known.name}` : 'whoever holds them'
  switch (kind) {
    case 'token': return 'This one token is refused from the next request on. The agent can go on with another one.'
    case 'key': return `Every token that this key has signed or will sign is refused. Cut off until they have tokens of another key: ${whose}.`
    case 'subject': return 'Every token that was issued to this subject up to now is refused. A new one will be accepted: take the credential from the agent too if it must not come back.'
    case 'issuer': return `Every token that this issuer has issued up to now is refused. Cut off until they have new ones: ${whose}.`
  }
}

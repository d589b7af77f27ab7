import { TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { tellDone } from '@/components/notices'
import { PassphraseField } from '@/components/PassphraseField'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { LifecycleView } from '@/ipc/generated'
import css from './Keeping.module.css'
import { draftOf, inForce, isLooser, lifecycleOf, order, problemsOf, spanText, terms, type Term } from './terms'

const usualOf: Record<Term, (view: LifecycleView) => number> = {
  lifetime_secs: (view) => view.usual_secs, rotate_secs: (view) => view.rotate_secs, overlap_secs: (view) => view.overlap_secs, alert_unused_secs: (view) => view.alert_unused_secs, revoke_unused_secs: (view) => view.revoke_unused_secs,
}

/** Says how long credentials live. Whatever lets one live longer takes an owner's passphrase. */
export function TermsForm({ view, onDone }: { view: LifecycleView; onDone: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [draft, setDraft] = useState(() => draftOf(view.set))
  const [owner, setOwner] = useState('')
  const wrong = problemsOf(draft)
  const next = lifecycleOf(draft)
  const force = inForce(next)
  const isSame = order.every((term) => next[term] === view.set[term])
  const looser = isLooser(next, view.set)
  const save = useMutation({
    mutationFn: () => call('lifecycle_set', { tenant: tenant.id, lifecycle: next, ...(looser && { owner }) }),
    onSuccess: async () => {
      tellDone(`How long credentials of ${tenant.name} live is changed`)
      await queryClient.invalidateQueries()
      onDone()
    },
  })
  const problem = Object.values(wrong)[0] ?? (isSame ? 'Nothing is changed yet' : looser && owner === '' ? 'It takes an owner’s passphrase' : undefined)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) save.mutate()
  }
  return (
    <form onSubmit={submit} className="panel padded stack">
      {order.map((term, at) => (
        <TextInput key={term} label={terms[term].title} description={`${terms[term].hint}. Up to ${spanText(terms[term].most)}`} placeholder={`${spanText(usualOf[term](force))}, as usual`}
          className={css.field ?? ''} autoComplete="off" spellCheck={false} {...(at === 0 && { autoFocus: true })} value={draft[term]} onChange={(event) => setDraft({ ...draft, [term]: event.currentTarget.value })} error={wrong[term]} />
      ))}
      {looser && Object.keys(wrong).length === 0 ? (
        <div className="stack tight">
          <p className={css.looser}>Credentials may live longer by this than they may now. It takes an owner’s passphrase, at an unlocked console too.</p>
          <PassphraseField label="An owner’s passphrase" value={owner} onChange={setOwner} />
        </div>
      ) : null}
      {save.error ? <Problem error={save.error} /> : null}
      <div className="row spread">
        <Act onClick={onDone}>Cancel</Act>
        <Act type="submit" tone="primary" loading={save.isPending} disabledReason={problem}>Save</Act>
      </div>
    </form>
  )
}

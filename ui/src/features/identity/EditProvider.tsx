import { TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { ProviderView } from '@/ipc/generated'
import { plural } from '@/lib/format'
import { nameProblem } from '@/lib/names'
import css from './Identity.module.css'
import { ProviderForm } from './ProviderForm'
import { draftOf, firstProblem, problemsOf, settingsOf, type Draft } from './settings'

/** Changes the rules of a provider. They hold from the next request on. */
export function EditProvider({ provider, onClose }: { provider: ProviderView; onClose: () => void }) {
  return (
    <Dialog onClose={onClose} title={`Change ${provider.name}`} size={820} closeOnClickOutside={false}>
      <Form provider={provider} onClose={onClose} />
    </Dialog>
  )
}

function Form({ provider, onClose }: { provider: ProviderView; onClose: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [name, setName] = useState(provider.name)
  const [draft, setDraft] = useState<Draft>(() => draftOf(provider.settings))
  const settings = settingsOf(draft)
  const save = useMutation({
    mutationFn: () => call('provider_update', { tenant: tenant.id, provider: provider.id, name, settings }),
    onSuccess: async () => {
      tellDone(`${name} is changed. The new rules hold from the next request on.`)
      await queryClient.invalidateQueries()
      onClose()
    },
  })
  const problems = problemsOf(draft)
  const problem = nameProblem(name) ?? firstProblem(problems)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) save.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      <ProviderForm
        name={<TextInput label="Name" description="What it is called here" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} error={nameProblem(name)} />}
        draft={draft} problems={problems} onChange={(patch) => setDraft({ ...draft, ...patch })}
      />
      {settings.issuer !== provider.settings.issuer && provider.subjects > 0 ? (
        <div className={css.warning} role="note">Another issuer: the {plural(provider.subjects, 'subject')} registered with {provider.name} will be looked for in the tokens of {settings.issuer || 'nobody'}.</div>
      ) : null}
      {save.error ? <Problem error={save.error} /> : null}
      <div className={css.foot}>
        <Act onClick={onClose}>Cancel</Act>
        <Act type="submit" tone="primary" loading={save.isPending} disabledReason={problem}>Save</Act>
      </div>
    </form>
  )
}

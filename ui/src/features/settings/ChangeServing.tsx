import { Input, SegmentedControl, Switch, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { call } from '@/ipc/call'
import type { ServingView } from '@/ipc/generated'
import { consequencesOf, draftOf, firstProblem, problemsOf, settingsOf, type Draft } from './serving'
import css from './SettingsPage.module.css'

/** Changes how the gateway serves. What that does to agents is said before it is done. */
export function ChangeServing({ serving, onClose }: { serving: ServingView; onClose: () => void }) {
  return (
    <Dialog onClose={onClose} title="How the gateway serves" size={600} closeOnClickOutside={false}>
      <Form serving={serving} onClose={onClose} />
    </Dialog>
  )
}

function Form({ serving, onClose }: { serving: ServingView; onClose: () => void }) {
  const queryClient = useQueryClient()
  const [draft, setDraft] = useState<Draft>(() => draftOf(serving.wanted))
  const set = (patch: Partial<Draft>) => setDraft({ ...draft, ...patch })
  const settings = settingsOf(draft)
  const save = useMutation({
    mutationFn: () => call('serving_set', { settings }),
    onSuccess: async (now) => {
      tellDone(now.origin === null ? 'Kept: the gateway serves like this once it is started' : `The gateway serves at ${now.origin}`)
      await queryClient.invalidateQueries()
      onClose()
    },
  })
  const problems = problemsOf(draft)
  const told = consequencesOf(serving, settings)
  const problem = firstProblem(problems) ?? (told.length === 0 ? 'Nothing is changed yet' : undefined)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) save.mutate()
  }
  const plain = { classNames: { input: css.mono ?? '' }, autoComplete: 'off', spellCheck: false }
  return (
    <form onSubmit={submit} className="stack">
      <TextInput label="Listens on" description="An address of this machine with a port; 0.0.0.0 is all of them" data-autofocus {...plain} value={draft.listen} onChange={(event) => set({ listen: event.currentTarget.value })} error={problems.listen} />
      <Switch label="TLS" description="With a certificate of its own authority, which it renews by itself" checked={draft.tls} onChange={(event) => set({ tls: event.currentTarget.checked })} />
      {draft.tls ? (
        <>
          <Textarea label="Names by which agents reach it" description="One a line; the first is the one that they are given" rows={3} placeholder="gateway.example.com" {...plain} value={draft.names} onChange={(event) => set({ names: event.currentTarget.value })} error={problems.names} />
          <div className="stack tight">
            <Input.Label component="div" id="oldest-tls">Oldest version</Input.Label>
            <SegmentedControl aria-labelledby="oldest-tls" className={css.oldest ?? ''} transitionDuration={0} value={draft.oldest} onChange={(oldest) => set({ oldest: oldest as Draft['oldest'] })}
              data={[{ value: '1.3', label: 'TLS 1.3' }, { value: '1.2', label: 'TLS 1.2' }]} />
          </div>
        </>
      ) : null}
      <div className="stack tight">
        <Input.Label component="div" id="durability">The record of an allowed call survives</Input.Label>
        <Input.Description>A power cut: each call waits for the disk. The end of the gateway: calls are quicker</Input.Description>
        <SegmentedControl aria-labelledby="durability" className={css.oldest ?? ''} transitionDuration={0} value={draft.durability} onChange={(durability) => set({ durability: durability as Draft['durability'] })}
          data={[{ value: 'disk', label: 'a power cut' }, { value: 'process', label: 'the end of the gateway' }]} />
      </div>
      {told.length > 0 && !firstProblem(problems) ? (
        <section className={css.note} aria-label="What this does">
          <b>What this does</b>
          <ul>{told.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
          <span>If it cannot start like this, it goes on as it is.</span>
        </section>
      ) : null}
      {save.error ? <Problem error={save.error} /> : null}
      <div className="row spread">
        <Act onClick={onClose}>Cancel</Act>
        <Act type="submit" tone="primary" loading={save.isPending} disabledReason={problem}>Serve like this</Act>
      </div>
    </form>
  )
}

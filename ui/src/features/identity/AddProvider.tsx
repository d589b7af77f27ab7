import { Checkbox, Modal, Select, Stepper, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { IconInfoCircle } from '@/components/icons'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { Sentence } from '@/components/Sentence'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { DiscoveredProvider, ProviderPreset, ProviderView } from '@/ipc/generated'
import { nameProblem } from '@/lib/names'
import css from './Identity.module.css'
import { issuerExample, presetWord } from './labels'
import { choices, PrivateNetwork, ProviderForm } from './ProviderForm'
import { addressProblem, bareSettings, draftOf, firstProblem, problemsOf, settingsOf, type Draft } from './settings'

type Props = { opened: boolean; onClose: () => void; onAdded: (provider: ProviderView) => void }

/** Adds a provider in two steps: who it is, then the rules that its metadata suggest, to look at. */
export function AddProvider({ opened, onClose, onAdded }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title="Add an identity provider" size={820} closeOnClickOutside={false}>
      {opened ? <Steps onClose={onClose} onAdded={onAdded} /> : null}
    </Modal>
  )
}

type Asked = { preset: ProviderPreset; issuer: string; privateNetwork: boolean }

function Steps({ onClose, onAdded }: Omit<Props, 'opened'>) {
  const [asked, setAsked] = useState<Asked>({ preset: 'generic', issuer: '', privateNetwork: false })
  const [found, setFound] = useState<DiscoveredProvider | null>(null)
  return (
    <div className="stack">
      <Stepper active={found ? 1 : 0} size="xs" iconSize={24} allowNextStepsSelect={false} onStepClick={(step) => step === 0 && setFound(null)}>
        <Stepper.Step label="Who it is" />
        <Stepper.Step label="Its rules" />
      </Stepper>
      {found ? (
        <Review found={found} onBack={() => setFound(null)} onAdded={onAdded} />
      ) : (
        <Ask asked={asked} onChange={(patch) => setAsked({ ...asked, ...patch })} onFound={setFound} onCancel={onClose} />
      )}
    </div>
  )
}

type AskProps = { asked: Asked; onChange: (patch: Partial<Asked>) => void; onFound: (found: DiscoveredProvider) => void; onCancel: () => void }

function Ask({ asked, onChange, onFound, onCancel }: AskProps) {
  const { preset, privateNetwork } = asked
  const issuer = asked.issuer.trim()
  const discover = useMutation({
    mutationFn: () => call('provider_discover', { issuer, preset, private_network: privateNetwork }),
    onSuccess: onFound,
  })
  const problem = addressProblem(issuer, privateNetwork)
  const byHand = () => onFound({ settings: bareSettings(issuer, preset, privateNetwork), notes: [] })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) discover.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      <Select label="Product" description="Chooses defaults that fit its tokens" allowDeselect={false} data={choices(presetWord)} value={preset} onChange={(value) => value && onChange({ preset: value as ProviderPreset })} />
      <TextInput label="Issuer" description="Exactly as its tokens have it: a slash at the end counts" placeholder={issuerExample[preset]} data-autofocus classNames={{ input: css.mono ?? '' }} value={asked.issuer}
        onChange={(event) => onChange({ issuer: event.currentTarget.value })} error={issuer && problem} />
      <PrivateNetwork on={privateNetwork} onChange={(on) => onChange({ privateNetwork: on })} />
      {discover.error ? <Problem error={discover.error} /> : null}
      <div className="row spread">
        <Act onClick={onCancel}>Cancel</Act>
        <div className="row">
          <Act tone="quiet" onClick={byHand} disabledReason={problem}>Enter its settings by hand</Act>
          <Act type="submit" tone="primary" loading={discover.isPending} disabledReason={problem}>Ask for its settings</Act>
        </div>
      </div>
    </form>
  )
}

type ReviewProps = { found: DiscoveredProvider; onBack: () => void; onAdded: (provider: ProviderView) => void }

function Review({ found, onBack, onAdded }: ReviewProps) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [name, setName] = useState('')
  const [enabled, setEnabled] = useState(true)
  const [draft, setDraft] = useState<Draft>(() => draftOf(found.settings))
  const create = useMutation({
    mutationFn: () => call('provider_create', { tenant: tenant.id, name, settings: settingsOf(draft), enabled }),
    onSuccess: async (added) => {
      tellDone(`${added.name} is there. Register its subjects with agents next.`)
      await queryClient.invalidateQueries()
      onAdded(added)
    },
  })
  const problems = problemsOf(draft)
  const problem = nameProblem(name) ?? firstProblem(problems)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) create.mutate()
  }
  return (
    <form onSubmit={submit} className="stack">
      <Notes notes={found.notes} />
      <ProviderForm
        name={<TextInput label="Name" description="What it is called here" autoFocus value={name} onChange={(event) => setName(event.currentTarget.value)} error={name && nameProblem(name)} />}
        draft={draft} problems={problems} onChange={(patch) => setDraft({ ...draft, ...patch })}
      />
      {create.error ? <Problem error={create.error} /> : null}
      <div className={css.foot}>
        <Act onClick={onBack}>Back</Act>
        <div className="row" style={{ gap: 16 }}>
          <Checkbox label="Accept its tokens from now on" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
          <Act type="submit" tone="primary" loading={create.isPending} disabledReason={problem}>Add the provider</Act>
        </div>
      </div>
    </form>
  )
}

function Notes({ notes }: { notes: string[] }) {
  if (notes.length === 0) return null
  return (
    <section className={css.notes} aria-label="What its metadata say">
      <IconInfoCircle size={16} aria-hidden />
      <ul>
        {notes.map((note) => <li key={note}><Sentence text={note} /></li>)}
      </ul>
    </section>
  )
}

import { Checkbox, NumberInput, Select, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { CopyButton } from '@/components/Copy'
import { Dialog } from '@/components/Dialog'
import { Problem } from '@/components/Problem'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { ConsoleEnrolled, OperatorId, ServingView } from '@/ipc/generated'
import { operatorList } from '@/ipc/queries'
import css from './SettingsPage.module.css'

/** Enrols a console of an operator, and shows its file, and once the code that opens it. */
export function EnrolConsole({ serving, onClose }: { serving: ServingView; onClose: () => void }) {
  const [made, setMade] = useState<ConsoleEnrolled | null>(null)
  const held = made !== null
  return (
    <Dialog onClose={held ? () => undefined : onClose} closeOnClickOutside={false} closeOnEscape={!held} withCloseButton={!held} size={600} title={held ? `Console ${made.console.name} of ${made.console.operator_name}` : 'Enrol a console'}>
      {held ? <Enrolled made={made} onClose={onClose} /> : <Form serving={serving} onMade={setMade} onClose={onClose} />}
    </Dialog>
  )
}

function Form({ serving, onMade, onClose }: { serving: ServingView; onMade: (made: ConsoleEnrolled) => void; onClose: () => void }) {
  const queryClient = useQueryClient()
  const operators = useQuery(operatorList())
  const [operator, setOperator] = useState<string | null>(null)
  const [name, setName] = useState('')
  const [days, setDays] = useState<number | string>(90)
  const [address, setAddress] = useState('')
  const everywhere = /^(?:0\.0\.0\.0|\[::\]):/.test(serving.consoles.listen ?? serving.wanted.consoles ?? '')
  const needed = everywhere || (serving.consoles.listen === null && serving.wanted.consoles === undefined)
  const enrol = useMutation({
    mutationFn: () => call('console_enrol', { operator: operator as OperatorId, name: name.trim(), days: Number(days), ...(address.trim() && { address: address.trim() }) }),
    onSuccess: async (made) => {
      onMade(made)
      await queryClient.invalidateQueries()
    },
  })
  const problem = operator === null ? 'Say whose console it is' : name.trim() === '' ? 'Name it first' : !(Number(days) >= 1 && Number(days) <= 90) ? 'It is enrolled for 1 to 90 days' : needed && address.trim() === '' ? 'Say how the other machine reaches this one' : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) enrol.mutate()
  }
  const plain = { autoComplete: 'off', spellCheck: false }
  return (
    <form onSubmit={submit} className="stack">
      <Select label="Whose console" description="Nobody else can unlock it" data-autofocus placeholder="An operator" value={operator} onChange={setOperator} data={(operators.data ?? []).map((one) => ({ value: one.id, label: one.name }))} />
      <TextInput label="Name" description="By which you know it again" placeholder="laptop" {...plain} value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <NumberInput label="Valid for" description="Days, at most 90; then it is enrolled anew" min={1} max={90} suffix=" days" value={days} onChange={setDays} />
      <TextInput label="How it reaches this gateway" description={needed ? 'A host and a port' : `A host and a port, where it is not ${serving.consoles.listen ?? serving.wanted.consoles}`} placeholder="gateway.example:7412" classNames={{ input: css.mono ?? '' }} {...plain} value={address} onChange={(event) => setAddress(event.currentTarget.value)} />
      {enrol.error ? <Problem error={enrol.error} /> : null}
      <div className="row spread">
        <Act onClick={onClose}>Cancel</Act>
        <Act type="submit" tone="primary" loading={enrol.isPending} disabledReason={problem}>Enrol</Act>
      </div>
    </form>
  )
}

const takeFocus = (shown: HTMLElement | null) => shown?.focus()

function Enrolled({ made, onClose }: { made: ConsoleEnrolled; onClose: () => void }) {
  const [kept, setKept] = useState(false)
  return (
    <div ref={takeFocus} tabIndex={-1} role="group" aria-label="The console was enrolled" className="stack" style={{ outline: 'none' }}>
      <p>Take the file to the other machine, and the code another way: together they are the console. It ends <Time at={made.console.expires} />.</p>
      <div className="stack tight">
        <div className="row spread"><b>File {made.file_name}</b><CopyButton text={made.file} label="Copy the file" /></div>
        <pre className={css.file} tabIndex={0} aria-label="The console’s file">{made.file}</pre>
      </div>
      <div className="stack tight">
        <b>Code, shown only now</b>
        <div className="row"><code className={css.code}>{made.code}</code><CopyButton text={made.code} label="Copy the code" /></div>
      </div>
      <p className="dim small">There: start Countersign for the first time and choose to join, or <code className="nowrap">countersign-desktop --console FILE</code>.</p>
      <div className="row spread">
        <Checkbox label="I have stored the file and the code" checked={kept} onChange={(event) => setKept(event.currentTarget.checked)} />
        <Act tone="primary" onClick={onClose} disabledReason={kept ? undefined : 'Say first that you have stored both: they are never shown again'}>Close</Act>
      </div>
    </div>
  )
}

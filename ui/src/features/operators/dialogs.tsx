import { Radio, Stack, TextInput } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { CopyButton } from '@/components/Copy'
import { Dialog } from '@/components/Dialog'
import { PassphraseField } from '@/components/PassphraseField'
import { roleWord } from '@/components/role'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { OperatorRole, OperatorView } from '@/ipc/generated'
import { FormDialog } from './FormDialog'
import css from './Operators.module.css'
import { endWord, passphraseProblem, roles } from './words'

type About = { operator: OperatorView; onClose: () => void }

function RoleChoice({ value, onChange }: { value: OperatorRole; onChange: (role: OperatorRole) => void }) {
  return (
    <Radio.Group label="Role" value={value} onChange={(role) => onChange(role as OperatorRole)}>
      <Stack gap={8} mt={6}>
        {roles.map((role) => <Radio key={role.value} value={role.value} label={role.label} description={role.may} />)}
      </Stack>
    </Radio.Group>
  )
}

function NewPassphrase({ whose, value, again, onChange, onAgain }: { whose: string; value: string; again: string; onChange: (text: string) => void; onAgain: (text: string) => void }) {
  return (
    <>
      <PassphraseField isNew label={`${whose} passphrase`} description="It seals their signing key and is kept nowhere" value={value} onChange={onChange} />
      <PassphraseField isNew label="Once more" value={again} onChange={onAgain} />
    </>
  )
}

export function AddOperator({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<OperatorRole>('approver')
  const [passphrase, setPassphrase] = useState('')
  const [again, setAgain] = useState('')
  const problem = name.trim() ? passphraseProblem(passphrase, again) : 'The name is missing'
  return (
    <FormDialog title="Add an operator" action="Add" problem={problem} onClose={onClose} done={`${name.trim()} is an operator`}
      run={() => call('operator_create', { name: name.trim(), role, passphrase })}>
      <TextInput label="Name" description="Stands in the log beside whatever they do" data-autofocus autoComplete="off" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <RoleChoice value={role} onChange={setRole} />
      <NewPassphrase whose="Their" value={passphrase} again={again} onChange={setPassphrase} onAgain={setAgain} />
    </FormDialog>
  )
}

export function ChangeRole({ operator, onClose }: About) {
  const [role, setRole] = useState(operator.role)
  return (
    <FormDialog title={`Role of ${operator.name}`} action="Change the role" onClose={onClose} done={`${operator.name}: ${roleWord[role]}`}
      problem={role === operator.role ? 'This is the role that they have' : undefined}
      run={() => call('operator_role_set', { operator: operator.id, role })}>
      <RoleChoice value={role} onChange={setRole} />
      <p className="dim small">It holds from their next command on. Where they have the console unlocked, it locks.</p>
    </FormDialog>
  )
}

export function RecoverOperator({ operator, onClose }: About) {
  const [passphrase, setPassphrase] = useState('')
  const [again, setAgain] = useState('')
  return (
    <FormDialog title={`Let ${operator.name} in again`} action="Give them a new key" onClose={onClose} done={`${operator.name} has a new key`}
      problem={passphraseProblem(passphrase, again)}
      run={() => call('operator_recover', { operator: operator.id, passphrase })}>
      <p>
        Nobody can open the key of somebody who lost their passphrase. {operator.name} gets another one, under a passphrase
        that they choose and type here. What they signed until now stays theirs: the old public key is kept.
      </p>
      <NewPassphrase whose="Their next" value={passphrase} again={again} onChange={setPassphrase} onAgain={setAgain} />
    </FormDialog>
  )
}

export function ChangePassphrase({ operator, onClose }: About) {
  const [passphrase, setPassphrase] = useState('')
  const [next, setNext] = useState('')
  const [again, setAgain] = useState('')
  return (
    <FormDialog title="Change your passphrase" action="Change it" onClose={onClose} done={`${operator.name} has another passphrase`}
      problem={passphrase ? passphraseProblem(next, again) : 'Type your passphrase as it is first'}
      run={() => call('operator_passphrase_set', { passphrase, next })}>
      <PassphraseField autoFocus label="Your passphrase as it is" value={passphrase} onChange={setPassphrase} />
      <NewPassphrase whose="Your next" value={next} again={again} onChange={setNext} onAgain={setAgain} />
      <p className="dim small">Your key stays the same. Secrets in a sealed file that the passphrase opens are sealed anew with it.</p>
    </FormDialog>
  )
}

export function RotateKey({ operator, onClose }: About) {
  const [passphrase, setPassphrase] = useState('')
  return (
    <FormDialog title="Make yourself another signing key" action="Make another key" onClose={onClose} done={`${operator.name} signs with another key`}
      problem={passphrase ? undefined : 'Type your passphrase first'}
      run={() => call('operator_key_rotate', { passphrase })}>
      <p>Calls that you signed and that were not made yet have to be signed again. What was made stays verifiable: the old public key is kept.</p>
      <PassphraseField autoFocus label="Your passphrase" value={passphrase} onChange={setPassphrase} />
    </FormDialog>
  )
}

/** Every key that somebody's signatures are verified with. */
export function Keys({ operator, onClose }: About) {
  return (
    <Dialog onClose={onClose} title={`Keys of ${operator.name}`} size="lg">
      <ol className={css.keys}>
        <Key digest={operator.key}>Since <Time at={operator.key_since} /></Key>
        {operator.past_keys.map((past) => (
          <Key key={past.key} digest={past.key}>
            <Time at={past.since} /> to <Time at={past.until} />; {endWord[past.why]}
          </Key>
        ))}
      </ol>
      <p className="dim small">SHA-256 digests of the public keys. What was signed with a past key is verified with that key for ever.</p>
    </Dialog>
  )
}

function Key({ digest, children }: { digest: string; children: ReactNode }) {
  return (
    <li>
      <div className="row"><code className={css.digest}>{digest}</code><CopyButton text={digest} label="Copy the digest of this key" /></div>
      <div className="dim small">{children}</div>
    </li>
  )
}

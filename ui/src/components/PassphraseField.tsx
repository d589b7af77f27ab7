import { PasswordInput } from '@mantine/core'

type Props = { label: string; value: string; onChange: (value: string) => void; isNew?: boolean; description?: string; autoFocus?: boolean }

/** A field for a passphrase, which nothing keeps. */
export function PassphraseField({ label, value, onChange, isNew = false, description, autoFocus = false }: Props) {
  return (
    <PasswordInput
      label={label}
      description={description}
      autoComplete={isNew ? 'new-password' : 'current-password'}
      {...(autoFocus && { 'data-autofocus': true })}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}

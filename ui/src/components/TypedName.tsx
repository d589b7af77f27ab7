import { TextInput } from '@mantine/core'

type Props = { name: string; typed: string; onChange: (typed: string) => void; autoFocus?: boolean }

/** A name that has to be typed before what cannot be undone is done. */
export function TypedName({ name, typed, onChange, autoFocus = false }: Props) {
  return (
    <TextInput
      label={<>Type <code>{name}</code> to confirm</>}
      aria-label={`Type ${name} to confirm`}
      autoComplete="off"
      spellCheck={false}
      {...(autoFocus && { 'data-autofocus': true })}
      value={typed}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}

/** Why it cannot be done yet; nothing once the name was typed. */
export const notTyped = (name: string, typed: string) => (typed === name ? undefined : `Type ${name} first`)

import { Textarea } from '@mantine/core'
import { characters, count } from '@/lib/format'
import { LONGEST_REASON } from '@/lib/reason'

type Props = { value: string; onChange: (value: string) => void; autoFocus?: boolean }

/** Why something is withdrawn, in the operator's words. */
export function ReasonField({ value, onChange, autoFocus = false }: Props) {
  const long = characters(value.trim())
  return (
    <Textarea
      label="Reason"
      description="For the record and for whoever looks later"
      rows={2}
      {...(autoFocus && { 'data-autofocus': true })}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={long > LONGEST_REASON ? `${count(long)} characters: at most ${LONGEST_REASON}` : undefined}
    />
  )
}

import { Button, Tooltip, type ButtonProps } from '@mantine/core'
import type { ReactNode } from 'react'

type Props = Omit<ButtonProps, 'color' | 'variant' | 'disabled'> & {
  children: ReactNode
  onClick?: () => void
  type?: 'button' | 'submit'
  tone?: 'primary' | 'plain' | 'danger' | 'quiet'
  /** Why it cannot be used now. A disabled control always says why. */
  disabledReason?: string | undefined
  autoFocus?: boolean
}

const look = {
  primary: { variant: 'filled', color: 'blue' },
  plain: { variant: 'default', color: 'blue' },
  danger: { variant: 'outline', color: 'red' },
  quiet: { variant: 'subtle', color: 'blue' },
} as const

/** A button that can say why it cannot be used. */
export function Act({ tone = 'plain', disabledReason, onClick, type = 'button', ...rest }: Props) {
  const button = (
    <Button
      size="xs"
      {...look[tone]}
      {...rest}
      type={type}
      {...(disabledReason
        ? { 'data-disabled': true, 'aria-disabled': true, onClick: (event) => event.preventDefault() }
        : { onClick })}
    />
  )
  // Below, where a dialog ends: above would be what it asks for.
  return disabledReason ? <Tooltip label={disabledReason} position="bottom">{button}</Tooltip> : button
}

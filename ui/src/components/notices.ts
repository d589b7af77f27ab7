/** Short notices at the edge of the window. */
import { notifications } from '@mantine/notifications'
import { createElement } from 'react'
import { toIpcError } from '@/ipc/failure'
import { CopyId } from './Copy'
import { problemTitle } from './Problem'
import { Sentence } from './Sentence'

const closeButtonProps = { 'aria-label': 'Close the notice' }

export function tellDone(message: string): void {
  notifications.show({ message, color: 'teal', autoClose: 4_000, withBorder: true, closeButtonProps })
}

/** A failure stays until it is closed, with the id that finds the audit event. */
export function tellFailed(error: unknown): void {
  const failure = toIpcError(error)
  notifications.show({
    title: problemTitle[failure.code],
    message: createElement(
      'span',
      null,
      createElement(Sentence, { text: failure.message }),
      failure.correlation ? createElement('br') : null,
      failure.correlation ? createElement(CopyId, { id: failure.correlation, whole: true }) : null,
    ),
    color: 'red',
    autoClose: false,
    withBorder: true,
    closeButtonProps,
  })
}

import { Modal, type ModalProps } from '@mantine/core'
import { useEffect, useState } from 'react'

type Props = Omit<ModalProps, 'opened'>

/** A dialog that is open for as long as it stands there. What had the keys before has them again afterwards. */
export function Dialog({ children, ...rest }: Props) {
  return (
    <Modal opened {...rest}>
      <GivesBack />
      {children}
    </Modal>
  )
}

// A modal gives the keys back when it is told to close; one that is taken away does not.
function GivesBack() {
  const [before] = useState(() => document.activeElement)
  useEffect(() => () => {
    const nobody = document.activeElement === null || document.activeElement === document.body
    if (nobody && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
  }, [before])
  return null
}

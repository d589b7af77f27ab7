import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { FormEvent, ReactNode } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'

type Props = {
  title: string
  action: string
  /** Why it cannot be done yet. */
  problem: string | undefined
  tone?: 'primary' | 'danger'
  run: () => Promise<unknown>
  /** What to say when it is done. */
  done: string
  onClose: () => void
  children: ReactNode
}

/** A form in a dialog. What is typed into it lives only as long as the dialog. */
export function FormDialog({ title, action, problem, tone = 'primary', run, done, onClose, children }: Props) {
  const queryClient = useQueryClient()
  const change = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      await queryClient.invalidateQueries()
      tellDone(done)
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) change.mutate()
  }
  return (
    <Dialog onClose={onClose} title={title}>
      <form onSubmit={submit} className="stack">
        {children}
        {change.error ? <Problem error={change.error} /> : null}
        <div className="row spread">
          <Act onClick={onClose}>Cancel</Act>
          <Act type="submit" tone={tone} loading={change.isPending} disabledReason={problem}>{action}</Act>
        </div>
      </form>
    </Dialog>
  )
}

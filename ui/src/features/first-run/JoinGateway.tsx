import { FileButton, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { Problem } from '@/components/Problem'
import type { AttachedView } from '@/ipc/generated'
import { status } from '@/ipc/queries'
import { joinGateway } from '@/ipc/windows'
import css from './FirstRun.module.css'

type Props = { /** Whose console it is, where the app was started with its file. */ attached: AttachedView | null; onBack?: () => void }

/** Makes this a console of a gateway elsewhere, with the file and the code that its owner gave. */
export function JoinGateway({ attached, onBack }: Props) {
  const [file, setFile] = useState('')
  const [code, setCode] = useState('')
  const queryClient = useQueryClient()
  const join = useMutation({
    mutationFn: () => joinGateway(attached ? null : file, code),
    onSuccess: (answer) => {
      queryClient.setQueryData(status().queryKey, answer)
      void queryClient.invalidateQueries()
    },
  })
  const missing = !attached && file.trim() === '' ? 'The file is missing' : code.trim() === '' ? 'The code is missing' : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (missing === undefined && !join.isPending) join.mutate()
  }
  const read = (chosen: File | null) => void chosen?.text().then(setFile)
  return (
    <main className={css.page}>
      <form onSubmit={submit} className={css.form}>
        <header>
          <div className={css.brand}>Countersign</div>
          <h1>Join another console’s gateway</h1>
          <p className="dim">
            {attached
              ? `This is console ${attached.console_name} of ${attached.operator_name}, for the gateway at ${attached.address}. Its file opens with a code.`
              : 'An owner enrols this console over there and gives you a file, and, another way, the code that opens it. What you decide here is decided there.'}
          </p>
        </header>
        {attached ? null : (
          <div className="stack tight">
            <Textarea label="The console’s file" description="What stands in it, or the file itself" rows={4} spellCheck={false} autoComplete="off" value={file} onChange={(event) => setFile(event.currentTarget.value)} />
            <div><FileButton accept="application/json,.json" onChange={read}>{(props) => <Act {...props}>Choose the file</Act>}</FileButton></div>
          </div>
        )}
        <TextInput label="Code" description="Five groups of letters and digits" autoFocus={attached !== null} autoComplete="off" spellCheck={false} value={code} onChange={(event) => setCode(event.currentTarget.value)} />
        {join.error ? <Problem error={join.error} /> : null}
        <div className="row spread">
          {onBack ? <Act onClick={onBack}>Back</Act> : <span />}
          <Act type="submit" tone="primary" size="sm" loading={join.isPending} disabledReason={missing}>Join</Act>
        </div>
      </form>
    </main>
  )
}

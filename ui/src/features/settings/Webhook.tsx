import { Checkbox, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { Dialog } from '@/components/Dialog'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { WebhookView } from '@/ipc/generated'
import { webhookShow } from '@/ipc/queries'
import css from './SettingsPage.module.css'
import { urlProblem } from './webhook'

/** A web server that is told when calls begin to wait. */
export function Webhook({ isOwner }: { isOwner: boolean }) {
  const query = useQuery(webhookShow())
  const queryClient = useQueryClient()
  const [changes, setChanges] = useState(false)
  const mayChange = isOwner ? undefined : 'Only an owner says who is told'
  const test = useMutation({
    mutationFn: () => call('webhook_test'),
    onSuccess: (view) => tellDone(`${view.origin} took the notice`),
    onSettled: () => queryClient.invalidateQueries(webhookShow()),
  })
  const askToRemove = (view: WebhookView) =>
    confirm({
      title: `Tell ${view.origin} no more?`,
      body: 'Nobody outside is told any more when calls wait. What signs the notices is forgotten.',
      action: 'Tell nobody',
      run: async () => {
        await call('webhook_remove')
        await queryClient.invalidateQueries(webhookShow())
      },
    })
  return (
    <Loaded query={query}>
      {(view) => (
        <>
          <p className="dim">When calls begin to wait, a web server can be told so: how many, and of which tenant. It learns nothing of who asks for what.</p>
          <dl className="facts">
            <dt>Told</dt><dd>{view.origin === null ? <span className="dim">nobody</span> : <><code className={css.path}>{view.origin}</code> {view.signed ? 'signed' : 'unsigned'}</>}</dd>
            {view.last ? <><dt>Last notice</dt><dd className={css.path}>{view.last.problem === null ? <Mark tone="good">taken</Mark> : <Mark tone="bad">not taken</Mark>} <Time at={view.last.at} />{view.last.problem === null ? null : `: ${view.last.problem}`}</dd></> : null}
          </dl>
          {test.error ? <Problem error={test.error} /> : null}
          <div className="row wrap">
            <Act onClick={() => setChanges(true)} disabledReason={mayChange}>{view.origin === null ? 'Tell a web server' : 'Tell another one'}</Act>
            {view.origin === null ? null : (
              <>
                <Act onClick={() => test.mutate()} loading={test.isPending} disabledReason={mayChange}>Send a test</Act>
                <Act tone="danger" onClick={() => askToRemove(view)} disabledReason={mayChange}>Tell nobody</Act>
              </>
            )}
          </div>
          {changes ? <Change before={view} onClose={() => { test.reset(); setChanges(false) }} /> : null}
        </>
      )}
    </Loaded>
  )
}

function Change({ before, onClose }: { before: WebhookView; onClose: () => void }) {
  const queryClient = useQueryClient()
  const [url, setUrl] = useState('')
  const [key, setKey] = useState('')
  const [unsigned, setUnsigned] = useState(false)
  const save = useMutation({
    mutationFn: () => call('webhook_set', { url: url.trim(), ...(unsigned ? { unsigned } : key.trim() && { key: key.trim() }) }),
    onSuccess: async (view) => {
      tellDone(`${view.origin} is told when calls begin to wait`)
      await queryClient.invalidateQueries(webhookShow())
      onClose()
    },
    onSettled: () => setKey(''),
  })
  const wrong = url.trim() === '' ? undefined : urlProblem(url.trim())
  const problem = url.trim() === '' ? 'Say its address first' : wrong
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) save.mutate()
  }
  const plain = { autoComplete: 'off', spellCheck: false }
  return (
    <Dialog onClose={onClose} title="Tell a web server that calls wait">
      <form onSubmit={submit} className="stack">
        <TextInput label="Its address" description="https://, or http:// on this machine. It is not shown again beyond the host" placeholder="https://hooks.example/countersign" data-autofocus {...plain} classNames={{ input: css.mono ?? '' }} value={url} onChange={(event) => setUrl(event.currentTarget.value)} error={wrong} />
        <PasswordInput label="Key to sign with" description={before.signed ? 'As Standard Webhooks has it: whsec_ and Base64. Empty: the one that is there stays' : 'As Standard Webhooks has it: whsec_ and Base64. Empty: unsigned'} {...plain} disabled={unsigned} value={key} onChange={(event) => setKey(event.currentTarget.value)} />
        {before.signed ? <Checkbox label="Sign no more" checked={unsigned} onChange={(event) => setUnsigned(event.currentTarget.checked)} /> : null}
        {save.error ? <Problem error={save.error} /> : null}
        <div className="row spread">
          <Act onClick={onClose}>Cancel</Act>
          <Act type="submit" tone="primary" loading={save.isPending} disabledReason={problem}>Tell it</Act>
        </div>
      </form>
    </Dialog>
  )
}

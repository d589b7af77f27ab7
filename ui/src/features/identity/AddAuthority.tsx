import { Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { Dialog } from '@/components/Dialog'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import { nameProblem } from '@/lib/names'
import { pemProblem } from '@/lib/pem'
import { prefixProblem } from './authorities'
import css from './Identity.module.css'

/** Believes an outside authority, as far as its prefix goes. */
export function AddAuthority({ onClose }: { onClose: () => void }) {
  return (
    <Dialog onClose={onClose} title="Add an outside authority" size={620} closeOnClickOutside={false}>
      <Form onClose={onClose} />
    </Dialog>
  )
}

function Form({ onClose }: { onClose: () => void }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [name, setName] = useState('')
  const [prefix, setPrefix] = useState('spiffe://')
  const [pem, setPem] = useState('')
  const [crl, setCrl] = useState('')
  const add = useMutation({
    mutationFn: () => call('authority_add', { tenant: tenant.id, name, prefix: prefix.trim(), pem: pem.trim(), ...(crl.trim() && { crl: crl.trim() }) }),
    onSuccess: async (added) => {
      tellDone(`${added.name} is there. Register its certificates with agents next.`)
      await queryClient.invalidateQueries()
      onClose()
    },
  })
  const wrong = { name: nameProblem(name), prefix: prefixProblem(prefix.trim()), pem: pemProblem(pem, 'certificate'), crl: crl.trim() ? pemProblem(crl, 'crl') : undefined }
  const problem = wrong.name ?? wrong.prefix ?? (wrong.pem && `Certificates: ${wrong.pem}`) ?? (wrong.crl && `Revocation list: ${wrong.crl}`)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) add.mutate()
  }
  const plain = { classNames: { input: css.mono ?? '' }, autoComplete: 'off', spellCheck: false }
  return (
    <form onSubmit={submit} className="stack">
      <div className={css.pair}>
        <TextInput label="Name" description="What it is called here" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} error={name && wrong.name} />
        <TextInput label="It may speak for" description="The beginning of each SPIFFE ID" placeholder="spiffe://example.org/ns/agents/" {...plain} value={prefix} onChange={(event) => setPrefix(event.currentTarget.value)} error={prefix.length > 9 && wrong.prefix} />
      </div>
      <Textarea label="Its certificates (PEM)" description="Roots, and authorities below them" rows={5} placeholder="-----BEGIN CERTIFICATE-----" {...plain} value={pem} onChange={(event) => setPem(event.currentTarget.value)} error={pem && wrong.pem} />
      <Textarea label="Its revocation lists (PEM)" description="Until there is a current one, its certificates open nothing" rows={3} placeholder="-----BEGIN X509 CRL-----" {...plain} value={crl} onChange={(event) => setCrl(event.currentTarget.value)} error={wrong.crl} />
      <p className="dim">Its certificates open nothing by themselves: each agent’s is registered with the agent.</p>
      {add.error ? <Problem error={add.error} /> : null}
      <div className="row spread">
        <Act onClick={onClose}>Cancel</Act>
        <Act type="submit" tone="primary" loading={add.isPending} disabledReason={problem}>Add the authority</Act>
      </div>
    </form>
  )
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { Loaded } from '@/components/Loaded'
import { tellDone } from '@/components/notices'
import { Section } from '@/components/Page'
import { PemFile } from '@/components/Pem'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import { call } from '@/ipc/call'
import type { AuthorityView, OutsideAuthorityView } from '@/ipc/generated'
import { authorityShow } from '@/ipc/queries'
import { count, plural } from '@/lib/format'
import { AddAuthority } from './AddAuthority'
import css from './Identity.module.css'
import { OutsideAuthority } from './OutsideAuthority'
import { UpdateList } from './UpdateList'

type Dialog = { kind: 'add' } | { kind: 'list'; authority: OutsideAuthorityView }

/** Whose certificates are believed, and what the gateway itself is to be believed by. */
export function Authorities() {
  const tenant = useTenant()
  const query = useQuery(authorityShow(tenant.id))
  const [dialog, setDialog] = useState<Dialog | null>(null)
  const close = () => setDialog(null)
  return (
    <Section title="Authorities" aside={<Act onClick={() => setDialog({ kind: 'add' })}>Add an outside authority</Act>}>
      <Loaded query={query}>
        {(authority) => (
          <>
            <Own authority={authority} />
            {authority.outside.map((one) => <OutsideAuthority key={one.id} authority={one} onList={() => setDialog({ kind: 'list', authority: one })} />)}
          </>
        )}
      </Loaded>
      {dialog?.kind === 'add' ? <AddAuthority onClose={close} /> : null}
      {dialog?.kind === 'list' ? <UpdateList authority={dialog.authority} onClose={close} /> : null}
    </Section>
  )
}

function Own({ authority }: { authority: AuthorityView }) {
  const tenant = useTenant()
  const { certificate, list, former, server_authority: server } = authority
  return (
    <div className="panel">
      <div className={css.authority}>
        <div className="grow stack tight">
          <b>Built in</b>
          <span className={css.value}><Untrusted text={authority.speaks_for} /></span>
          <span className="dim small">
            {certificate === null ? 'made with the first certificate' : <>made <Time at={authority.created} /></>}
            {authority.list_number === 0 ? '' : ` · revocation list number ${count(authority.list_number)}, ${authority.revoked === 0 ? 'with nothing on it' : `with ${plural(authority.revoked, 'certificate')}`}`}
          </span>
        </div>
        {certificate === null ? null : <Replace />}
      </div>
      {certificate === null ? null : <PemFile name={`${tenant.name}-agents.pem`} what="what vouches for the agents of this tenant" text={certificate} />}
      {list === null ? null : <PemFile name={`${tenant.name}-agents.crl`} what="its revocation list" text={list} />}
      {former.map((one) => (
        <PemFile key={one.retired} name={`${tenant.name}-agents-former.pem`} what={<>the one before it; the last that it issued ends <Time at={one.ends} /></>} text={one.certificate} />
      ))}
      {server === null ? null : <PemFile name="countersign.pem" what="what agents have to trust: the authority of the gateway’s own certificate" text={server} />}
    </div>
  )
}

function Replace() {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const replace = useMutation({
    mutationFn: () => call('authority_rotate', { tenant: tenant.id }),
    onSuccess: async () => {
      tellDone('A new authority issues certificates from now on')
      await queryClient.invalidateQueries()
    },
  })
  const ask = () =>
    confirm({
      title: 'Put a new authority in its place?',
      body: 'New certificates are issued by it. Nobody is cut off: certificates of the one before are believed until the last of them has ended. Whoever checks them elsewhere has to be given the new one.',
      action: 'Replace the authority',
      run: () => replace.mutateAsync(),
    })
  return <Act onClick={ask}>Replace</Act>
}

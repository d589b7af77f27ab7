import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import type { RevocationView, Revoked } from '@/ipc/generated'
import { revocationList } from '@/ipc/queries'
import { exactUtc } from '@/lib/format'
import css from './Identity.module.css'
import { revokedWord } from './labels'
import { RevokeForm } from './RevokeForm'

/** What was withdrawn before its time. */
export function Revocations() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const query = useQuery(revocationList(tenant.id))
  const columns = useMemo(() => columnsWith(), [])
  return (
    <>
      <Loaded query={query}>
        {(revocations) => (
          <DataTable
            label="Revocations"
            rows={revocations}
            columns={columns}
            rowKey={(revocation) => revocation.id}
            empty={
              <Empty title="Nothing is revoked" action={<Act onClick={() => set({ new: '1' })}>Revoke</Act>}>
                A token, an issuer’s key or everything of a subject can be refused before its time: from the very next request, on held calls and open streams too.
                Keys of agents are revoked at the agent.
              </Empty>
            }
          />
        )}
      </Loaded>
      {address.new === '1' ? <RevokeForm wanted={{ kind: 'token', issuer: '' }} onClose={() => set({ new: undefined })} /> : null}
    </>
  )
}

const columnsWith = (): Column<RevocationView>[] => [
  { id: 'kind', title: 'Kind', value: (one) => revokedWord[one.what.kind], cell: (one) => <span className="nowrap">{revokedWord[one.what.kind]}</span> },
  { id: 'what', title: 'What', value: (one) => one.sentence, cell: (one) => <What revocation={one} /> },
  { id: 'reason', title: 'Reason', width: '30%', value: (one) => one.reason, cell: (one) => <span className={css.clamp} title={one.reason}><Untrusted text={one.reason} /></span> },
  { id: 'created', title: 'Revoked', value: (one) => one.created, cell: (one) => <Time at={one.created} /> },
  { id: 'ends', title: 'Kept until', value: (one) => one.ends, cell: (one) => <Time at={one.ends} /> },
]

/** What tells it from others, and whose it is; the whole sentence on hover. */
function What({ revocation: { what, sentence } }: { revocation: RevocationView }) {
  const own = ownOf(what)
  return (
    <div title={sentence} className={css.what}>
      {own === null ? null : <span className={`${css.mono} ellipsis`}><Untrusted text={own} /></span>}
      <span className={`${css.mono} ellipsis ${own === null ? '' : 'dim'}`}><Untrusted text={what.kind === 'certificate' ? what.authority : what.issuer} /></span>
      {'until' in what ? <span className="dim small">issued up to {exactUtc(what.until).slice(0, 19)} UTC</span> : null}
    </div>
  )
}

function ownOf(what: Revoked): string | null {
  switch (what.kind) {
    case 'certificate': return what.serial
    case 'token': return what.id
    case 'key': return what.key_id
    case 'subject': return what.subject
    case 'issuer': return null
  }
}

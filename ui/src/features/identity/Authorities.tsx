import { useQuery } from '@tanstack/react-query'
import { Loaded } from '@/components/Loaded'
import { Section } from '@/components/Page'
import { PemFile } from '@/components/Pem'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import type { AuthorityView } from '@/ipc/generated'
import { authorityShow } from '@/ipc/queries'
import { count, plural } from '@/lib/format'
import css from './Identity.module.css'

/** Whose certificates are believed, and what the gateway itself is to be believed by. */
export function Authorities() {
  const tenant = useTenant()
  const query = useQuery(authorityShow(tenant.id))
  return (
    <Section title="Authority">
      <Loaded query={query}>{(authority) => <Own authority={authority} />}</Loaded>
    </Section>
  )
}

function Own({ authority }: { authority: AuthorityView }) {
  const tenant = useTenant()
  const { certificate, server_authority: server } = authority
  return (
    <div className="panel">
      <dl className={`facts ${css.facts}`}>
        <dt>Built in</dt>
        <dd>{certificate === null ? <span className="dim">made with the first certificate</span> : <>made <Time at={authority.created} /></>}</dd>
        <dt>Speaks for</dt><dd className={css.value}><Untrusted text={authority.speaks_for} /></dd>
        <dt>Its list</dt>
        <dd>{authority.list_number === 0 ? <span className="dim">none signed yet</span> : <>number {count(authority.list_number)}, {authority.revoked === 0 ? 'with none revoked' : `with ${plural(authority.revoked, 'certificate')} revoked`}</>}</dd>
      </dl>
      {certificate === null ? null : <PemFile name={`${tenant.name}-agents.pem`} what="what vouches for the agents of this tenant" text={certificate} />}
      {server === null ? null : <PemFile name="countersign.pem" what="what agents have to trust: the authority of the gateway’s own certificate" text={server} />}
    </div>
  )
}

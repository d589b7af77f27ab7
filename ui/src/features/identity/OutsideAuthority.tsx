import { useQueryClient } from '@tanstack/react-query'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { IconAlertTriangle } from '@/components/icons'
import { Mark } from '@/components/Mark'
import { tellDone } from '@/components/notices'
import { Sentence } from '@/components/Sentence'
import { useTenant } from '@/components/tenant'
import { Time, useNow } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import { call } from '@/ipc/call'
import type { OutsideAuthorityView } from '@/ipc/generated'
import { plural } from '@/lib/format'
import { authorityTone, authorityWord } from './authorities'
import css from './Identity.module.css'

type Props = { authority: OutsideAuthorityView; onList: () => void }

/** An outside authority that the tenant believes: how it stands, its lists, and how to stop it. */
export function OutsideAuthority({ authority, onList }: Props) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const remove = () =>
    confirm({
      title: `Believe ${authority.name} no more?`,
      body: `What was registered of it is revoked, and its sessions end: cut off with the next request, ${plural(authority.credentials, 'credential')}. Each has to be registered anew if it ever comes back.`,
      action: 'Remove the authority',
      typed: authority.name,
      run: async () => {
        await call('authority_remove', { tenant: tenant.id, authority: authority.id })
        tellDone(`${authority.name} is not believed any more`)
        await queryClient.invalidateQueries()
      },
    })
  return (
    <div className="panel">
      <div className={css.authority}>
        <div className="grow stack tight">
          <div className="row wrap"><b>{authority.name}</b><Mark tone={authorityTone[authority.standing]}>{authorityWord[authority.standing]}</Mark></div>
          <span className={css.value}><Untrusted text={authority.prefix} /></span>
          <Certificates authority={authority} />
          <Lists authority={authority} />
          <span className="dim small">{plural(authority.credentials, 'credential')} registered of it · added <Time at={authority.created} /></span>
        </div>
        <div className="row">
          <Act onClick={onList} aria-label={`Update its list: ${authority.name}`}>Update its list</Act>
          <Act tone="danger" onClick={remove} aria-label={`Remove: ${authority.name}`}>Remove</Act>
        </div>
      </div>
      {authority.problem === null ? null : (
        <div className={authority.standing === 'trusted' ? css.warning : css.trouble} role="alert"><IconAlertTriangle size={16} aria-hidden /><span><Sentence text={authority.problem} /></span></div>
      )}
    </div>
  )
}

function Certificates({ authority: { certificates } }: { authority: OutsideAuthorityView }) {
  return (
    <>
      {certificates.map((one) => (
        <span key={one.fingerprint} className="small" title={`SHA-256 ${one.fingerprint}`}>
          <Untrusted text={one.subject || `serial ${one.serial}`} /> <span className="dim">ends <Time at={one.until} /></span>
        </span>
      ))}
    </>
  )
}

/** How old its lists are: an authority without a current one opens nothing. */
function Lists({ authority: { lists, listed } }: { authority: OutsideAuthorityView }) {
  const now = useNow()
  if (lists.length === 0) return <span className="dim small">no revocation list handed in</span>
  return (
    <>
      {lists.map((list, at) => (
        <span key={at} className="dim small">
          list signed <Time at={list.signed} />, {Date.parse(list.until) < now ? 'ended' : 'ends'} <Time at={list.until} />, with {plural(list.revoked, 'certificate')} revoked{at === 0 && listed !== null ? <> · handed in <Time at={listed} /></> : null}
        </span>
      ))}
    </>
  )
}

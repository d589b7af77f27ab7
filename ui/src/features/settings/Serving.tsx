import { useQuery } from '@tanstack/react-query'
import { Fragment, useState } from 'react'
import { Act } from '@/components/Act'
import { CopyButton, CopyId } from '@/components/Copy'
import { IconAlertTriangle } from '@/components/icons'
import { Loaded } from '@/components/Loaded'
import { Mark, type Tone } from '@/components/Mark'
import { PemFile } from '@/components/Pem'
import { Sentence } from '@/components/Sentence'
import { Time } from '@/components/Time'
import type { GatewayState, ServingView, TlsView } from '@/ipc/generated'
import { authorityShow, servingShow, tenantList } from '@/ipc/queries'
import { ChangeServing } from './ChangeServing'
import css from './SettingsPage.module.css'

const word: Record<GatewayState, string> = { serving: 'Serving', refusing: 'Refuses every call', stopped: 'Stopped', failed: 'Not serving' }
const tone: Record<GatewayState, Tone> = { serving: 'good', refusing: 'bad', stopped: 'plain', failed: 'bad' }

/** How the gateway serves, and how that is changed. */
export function Serving({ mayChange }: { /** Why it cannot be changed here. */ mayChange: string | undefined }) {
  const query = useQuery(servingShow())
  return <Loaded query={query}>{(serving) => <How serving={serving} mayChange={mayChange} />}</Loaded>
}

function How({ serving, mayChange }: { serving: ServingView; mayChange: string | undefined }) {
  const [changing, setChanging] = useState(false)
  const locked = serving.locked_by_flags ? 'The flags that it was started with win: start it without them to change it here' : mayChange
  return (
    <>
      {serving.problem === null ? null : <p className={css.problem} role="alert"><IconAlertTriangle size={16} aria-hidden /><span><Sentence text={serving.problem} /></span></p>}
      {serving.pending ? <p className={css.note} role="note">It serves otherwise than it is set to, until it is started anew: it is set to {serving.wanted.listen}, {serving.wanted.tls ? 'with TLS' : 'without TLS'}.</p> : null}
      <dl className="facts">
        <dt>State</dt><dd><Mark tone={tone[serving.state]}>{word[serving.state]}</Mark></dd>
        <dt>Agents call</dt>
        <dd className="row">{serving.origin === null ? <span className="dim">nothing now</span> : <><code>{inParts(serving.origin)}</code><CopyButton text={serving.origin} label="Copy the gateway’s address" /></>}</dd>
        <dt>Listens on</dt><dd><code>{inParts(serving.listen)}</code></dd>
        {serving.tls === null ? <><dt>TLS</dt><dd>off: reached from this machine alone</dd></> : <Tls tls={serving.tls} />}
        <dt>Records of allowed calls</dt><dd>{serving.wanted.durability === 'disk' ? 'survive a power cut' : 'survive the end of the gateway; a power cut may take the last of them'}</dd>
      </dl>
      {serving.tls === null ? null : <CaFile />}
      <div><Act onClick={() => setChanging(true)} disabledReason={locked}>Change how it serves</Act></div>
      {changing ? <ChangeServing serving={serving} onClose={() => setChanging(false)} /> : null}
    </>
  )
}

// An address may be broken at its dots and in front of its port, never within either.
const inParts = (text: string) => text.split(/(?<=\/\/|\.)|(?=:\d+$)/).map((part, at) => <Fragment key={at}>{at > 0 ? <wbr /> : null}{part}</Fragment>)

function Tls({ tls: { names, oldest, certificate } }: { tls: TlsView }) {
  return (
    <>
      <dt>TLS</dt><dd>{oldest === '1.3' ? '1.3 only' : '1.2 and 1.3'}</dd>
      <dt>Names</dt><dd>{names.map((name, at) => <Fragment key={name}>{at > 0 ? ', ' : ''}{inParts(name)}</Fragment>)}</dd>
      <dt>Certificate</dt>
      <dd>ends <Time at={certificate.until} />, and is renewed before that<br /><span className="dim small">serial <CopyId id={certificate.serial} /> · SHA-256 <CopyId id={certificate.fingerprint} /><br />by {certificate.authority}</span></dd>
    </>
  )
}

/** What agents have to trust. It belongs to the gateway; any tenant tells it. */
function CaFile() {
  const tenant = useQuery(tenantList()).data?.[0]
  const authority = useQuery({ ...authorityShow(tenant?.id as never), enabled: tenant !== undefined })
  const pem = authority.data?.server_authority
  if (!pem) return null
  return (
    <div className="stack tight">
      <span>The CA file to hand to clients</span>
      <div className="panel"><PemFile name="countersign.pem" what="the authority of its certificate" text={pem} /></div>
    </div>
  )
}

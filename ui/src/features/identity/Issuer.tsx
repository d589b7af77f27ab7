import { Select } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { CopyButton } from '@/components/Copy'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { tellDone, tellFailed } from '@/components/notices'
import { Section } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { IssuerKeyView, IssuerView } from '@/ipc/generated'
import { issuerShow } from '@/ipc/queries'
import { exactDuration, plural } from '@/lib/format'
import css from './Identity.module.css'
import { issuerKeyMeaning, issuerKeyTone, issuerKeyWord, tokenLifetimes } from './issuer'
import { IssuerClients } from './IssuerClients'

/** The gateway's own token issuer, for agents that have no identity provider. */
export function Issuer() {
  const tenant = useTenant()
  const query = useQuery(issuerShow(tenant.id))
  return <Loaded query={query}>{(issuer) => (issuer.enabled ? <On issuer={issuer} /> : <Off issuer={issuer} />)}</Loaded>
}

/** Switches it, or changes how long its tokens live. */
function useIssuerSet() {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: (settings: { enabled: boolean; token_secs: number }) => call('issuer_set', { tenant: tenant.id, ...settings }),
    onSuccess: () => queryClient.invalidateQueries(),
  })
}

function Off({ issuer }: { issuer: IssuerView }) {
  const set = useIssuerSet()
  const on = () => set.mutate({ enabled: true, token_secs: issuer.token_secs }, { onError: tellFailed })
  return (
    <div className="stack wide">
      <div className="panel">
        <Empty title="The built-in issuer is off" action={<Act tone="primary" onClick={on} loading={set.isPending}>Switch it on</Act>}>
          For agents that have no identity provider: the gateway itself hands out access tokens of 5 to 15 minutes, to clients that prove themselves with a secret, a signed assertion or a certificate.
          {issuer.clients.length > 0 ? ` Its ${plural(issuer.clients.length, 'client')} can get none until then.` : ''}
        </Empty>
      </div>
    </div>
  )
}

function On({ issuer }: { issuer: IssuerView }) {
  return (
    <div className="stack wide">
      <Standing issuer={issuer} />
      <Endpoints issuer={issuer} />
      <Keys keys={issuer.keys} />
      <IssuerClients clients={issuer.clients} />
    </div>
  )
}

function Standing({ issuer }: { issuer: IssuerView }) {
  const set = useIssuerSet()
  const usable = issuer.clients.filter((one) => one.state === 'active' || one.state === 'suspended').length
  const askToSwitchOff = () =>
    confirm({
      title: 'Switch the built-in issuer off?',
      body: `Every token that it issued is refused with the next request, and the sessions opened with one end. Cut off: ${plural(usable, 'client')}. Clients are kept: switching it on restores them.`,
      action: 'Switch off',
      run: () => set.mutateAsync({ enabled: false, token_secs: issuer.token_secs }),
    })
  const live = (token_secs: number) =>
    set.mutate({ enabled: true, token_secs }, { onSuccess: () => tellDone(`New tokens live for ${exactDuration(token_secs)}`), onError: tellFailed })
  return (
    <div className={`panel ${css.standing}`}>
      <Mark tone="good">On</Mark>
      <Select size="xs" aria-label="How long its tokens live" allowDeselect={false} className={css.lifetime ?? ''} data={tokenLifetimes(issuer.token_secs)} value={String(issuer.token_secs)}
        onChange={(value) => value && live(Number(value))} />
      <span className="grow dim small">{plural(issuer.issued_day, 'token')} issued and {plural(issuer.refused_day, 'request')} refused in the last 24 hours</span>
      <Act tone="danger" onClick={askToSwitchOff}>Switch off</Act>
    </div>
  )
}

function Endpoints({ issuer }: { issuer: IssuerView }) {
  const all: [title: string, address: string][] = [
    ['Issuer', issuer.issuer], ['Metadata', issuer.metadata], ['Tokens', issuer.token_endpoint], ['Public keys', issuer.jwks_uri],
    ['Introspection', issuer.introspection_endpoint], ['Revocation', issuer.revocation_endpoint],
  ]
  return (
    <Section title="Where it is" aside={<span className="dim small">A client finds all of it from the address of its endpoint</span>}>
      <div className="panel">
        {all.map(([title, address]) => (
          <div key={title} className={css.endpoint}>
            <span className="dim">{title}</span><code className={css.value}>{address}</code><CopyButton text={address} label={`Copy: ${title}`} />
          </div>
        ))}
      </div>
    </Section>
  )
}

function Keys({ keys }: { keys: IssuerKeyView[] }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const rotate = useMutation({
    mutationFn: () => call('issuer_rotate', { tenant: tenant.id }),
    onSuccess: async () => {
      tellDone('The next key signs from now on')
      await queryClient.invalidateQueries()
    },
    onError: tellFailed,
  })
  return (
    <Section title="Signing keys" aside={<Act onClick={() => rotate.mutate()} loading={rotate.isPending}>Rotate now</Act>}>
      <div className="panel">
        {keys.map((key) => (
          <div key={key.key_id} className={css.signing}>
            <span className={css.value}>{key.key_id}</span>
            <code className="dim">{key.algorithm}</code>
            <Mark tone={issuerKeyTone[key.state]} title={issuerKeyMeaning[key.state]}>{issuerKeyWord[key.state]}</Mark>
            <span className="dim small">{key.retires === null ? <>made <Time at={key.created} /></> : <>gone <Time at={key.retires} /></>}</span>
          </div>
        ))}
      </div>
      <p className="dim small">Rotating refuses no request: the next key is published already, and the one before stays published until its last token has ended.</p>
    </Section>
  )
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { announceEnforced } from '@/components/enforced'
import { IconAlertTriangle } from '@/components/icons'
import { Mark } from '@/components/Mark'
import { tellDone, tellFailed } from '@/components/notices'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import { call } from '@/ipc/call'
import { IpcError } from '@/ipc/failure'
import type { IntrospectionStatus, ProviderView } from '@/ipc/generated'
import { agentList } from '@/ipc/queries'
import { exactDuration, plural } from '@/lib/format'
import css from './Identity.module.css'
import { introspectionWord, presetWord, senderWord, standingMeaning, typesWord } from './labels'
import { ProviderMark } from './ProviderMark'
import type { Wanted } from './RevokeForm'

type Props = { provider: ProviderView; onEdit: () => void; onTest: () => void; onRevoke: (wanted: Wanted) => void; onGone: () => void }

/** Everything about one provider: how it is, its keys, its rules, and how to stop it. */
export function ProviderDetail({ provider, onEdit, onTest, onRevoke, onGone }: Props) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const fetchKeys = useMutation({
    mutationFn: () => call('provider_refresh', { tenant: tenant.id, provider: provider.id }),
    // The command is done when it was tried: whether there was an answer is told by the status.
    onSuccess: ({ name, status }) =>
      status.failing_since === null ? tellDone(`The keys of ${name} were fetched anew`) : tellFailed(new IpcError('upstream', `The keys of ${name} could not be fetched. ${status.last_error ?? ''}`)),
    onError: tellFailed,
    onSettled: () => queryClient.invalidateQueries(),
  })
  return (
    <div className="stack wide">
      <Trouble provider={provider} />
      <div className="row wrap">
        <Act tone="primary" onClick={onTest}>Test a token</Act>
        <Act onClick={onEdit}>Change its rules</Act>
        <Act onClick={() => fetchKeys.mutate()} loading={fetchKeys.isPending} disabledReason={provider.enabled ? undefined : 'It is switched off'}>Fetch its keys now</Act>
      </div>
      <Rules provider={provider} />
      <Keys provider={provider} onRevoke={onRevoke} />
      <Subjects provider={provider} onRevoke={onRevoke} />
      <Stop provider={provider} onGone={onGone} />
    </div>
  )
}

function Trouble({ provider }: { provider: ProviderView }) {
  const { standing, last_error: said } = provider.status
  if (!provider.enabled || (standing !== 'cached' && standing !== 'refusing')) return null
  return (
    <div className={standing === 'refusing' ? css.trouble : css.warning} role="alert">
      <IconAlertTriangle size={16} aria-hidden />
      <div className="stack tight">
        <span>{standingMeaning(provider)}</span>
        {said ? <span className="small"><Untrusted text={said} /></span> : null}
      </div>
    </div>
  )
}

function Rules({ provider }: { provider: ProviderView }) {
  const { settings, status } = provider
  const { claims, introspection } = settings
  return (
    <dl className="facts">
      <dt>Standing</dt><dd><ProviderMark provider={provider} /></dd>
      <dt>Product</dt><dd>{presetWord[settings.preset]}</dd>
      <dt>Issuer</dt><dd className={css.value}><Untrusted text={settings.issuer} /></dd>
      <dt>Keys from</dt><dd className={css.value}><Untrusted text={settings.jwks_uri} /></dd>
      <dt>Keys fetched</dt><dd><Time at={status.fetched} /></dd>
      {status.failing_since ? <><dt>Out of reach</dt><dd>since <Time at={status.failing_since} /></dd></> : null}
      <dt>Signed with</dt><dd className={css.value}>{settings.algorithms.join(', ')}</dd>
      <dt>Type</dt><dd>{typesWord[settings.types]}</dd>
      <dt>Audience</dt><dd>{settings.audiences.length === 0 ? 'the address of the endpoint' : <span className={css.value}><Untrusted text={settings.audiences.join(', ')} /></span>}{settings.several_audiences ? ', among others' : ''}</dd>
      <dt>Scopes</dt><dd>{settings.scopes.length === 0 ? 'none needed' : <span className={css.value}>{settings.scopes.join(', ')}</span>}</dd>
      <dt>Bound to</dt><dd>{senderWord[settings.sender]}</dd>
      <dt>Agent</dt><dd>claim <code>{claims.agent}</code></dd>
      <dt>Roles</dt><dd>{claims.roles ? <>claim <code>{claims.roles}</code></> : 'all that the agent has'}</dd>
      {claims.task ? <><dt>Task</dt><dd>claim <code>{claims.task}</code></dd></> : null}
      {claims.tenant ? <><dt>Tenant</dt><dd>claim <code>{claims.tenant.claim}</code> is <code>{claims.tenant.value}</code></dd></> : null}
      <dt>Oldest token</dt><dd>{exactDuration(settings.longest_secs)}; {exactDuration(settings.longest_token_secs)} for countersigned tools</dd>
      <dt>Outage limit</dt><dd>its last known keys, until they are {exactDuration(settings.stale_secs)} old</dd>
      <dt>Asked again</dt><dd>{introspection ? introspectionWord[introspection.when] : 'never'}</dd>
      {status.introspection ? <><dt>Asking it</dt><dd><Asked asked={status.introspection} /></dd></> : null}
      {settings.private_network ? <><dt>Network</dt><dd>private addresses are allowed</dd></> : null}
      <dt>Added</dt><dd><Time at={provider.created} /></dd>
    </dl>
  )
}

/** How asking it about tokens goes. */
function Asked({ asked }: { asked: IntrospectionStatus }) {
  const often = asked.asked === 0 ? 'nothing was asked yet' : `asked ${plural(asked.asked, 'time')}`
  if (asked.failing_since === null) return <>{often}</>
  return (
    <>
      <Mark tone="bad">No answer since <Time at={asked.failing_since} /></Mark> <span className="dim">{often}</span>
      {asked.last_error === null ? null : <div className="small"><Untrusted text={asked.last_error} /></div>}
    </>
  )
}

function Keys({ provider, onRevoke }: Pick<Props, 'provider' | 'onRevoke'>) {
  const { keys, ignored } = provider.status
  return (
    <section className="stack tight">
      <h2>Keys</h2>
      {keys.length + ignored.length === 0 ? <p className="dim">None is known yet.</p> : (
        <div className="panel">
          {keys.map((key) => (
            <div key={key.key_id} className={css.line}>
              <span className={`grow ${css.value}`}><Untrusted text={key.key_id} /></span>
              <code className="dim">{key.algorithm}</code>
              <Act tone="danger" onClick={() => onRevoke({ kind: 'key', issuer: provider.settings.issuer, keyId: key.key_id })} aria-label={`Revoke key ${key.key_id}`}>Revoke</Act>
            </div>
          ))}
          {ignored.map((key, index) => (
            <div key={`${key.key_id ?? ''}${index}`} className={css.line}>
              <span className={`grow ${css.value}`}>{key.key_id === null ? <span className="dim">without an id</span> : <Untrusted text={key.key_id} />}</span>
              <span className="dim small">not used: <Untrusted text={key.reason} /></span>
            </div>
          ))}
        </div>
      )}
    </section>
  )
}

function Subjects({ provider, onRevoke }: Pick<Props, 'provider' | 'onRevoke'>) {
  const tenant = useTenant()
  const agents = useQuery(agentList(tenant.id))
  const known = (agents.data ?? []).flatMap((agent) =>
    agent.credentials.flatMap((one) => (one.proof.kind === 'external' && one.proof.provider === provider.id && one.state !== 'revoked' ? [{ agent, subject: one.proof.subject, key: one.id }] : [])))
  return (
    <section className="stack tight">
      <h2>Subjects</h2>
      {known.length === 0 ? (
        <p className="dim">Nobody yet: its tokens are refused. Register a subject with an <Link to="/t/$tenant/agents" params={{ tenant: tenant.name }}>agent</Link>.</p>
      ) : (
        <div className="panel">
          {known.map(({ agent, subject, key }) => (
            <div key={key} className={css.line}>
              <span className="grow stack tight">
                <Link to="/t/$tenant/agents" params={{ tenant: tenant.name }} search={{ agent: agent.id } as never}>{agent.name}</Link>
                <span className={`dim ${css.value}`}><Untrusted text={subject} /></span>
              </span>
              <Act onClick={() => onRevoke({ kind: 'subject', issuer: provider.settings.issuer, subject })} aria-label={`Revoke its tokens: ${subject}`}>Revoke its tokens</Act>
            </div>
          ))}
        </div>
      )}
    </section>
  )
}

function Stop({ provider, onGone }: Pick<Props, 'provider' | 'onGone'>) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const where = { tenant: tenant.id, provider: provider.id }
  const enable = useMutation({
    mutationFn: (enabled: boolean) => call('provider_update', { ...where, enabled }),
    onSuccess: async (saved) => {
      tellDone(saved.enabled ? `Tokens of ${saved.name} are accepted` : `Tokens of ${saved.name} are refused`)
      await queryClient.invalidateQueries()
    },
    onError: tellFailed,
  })
  const cut = `Cut off: ${plural(provider.subjects, 'subject')}, with the next request.`
  const askToDisable = () =>
    confirm({
      title: `Switch ${provider.name} off?`,
      body: `Every token of it is refused. ${cut} Nothing is removed: switching it on restores it.`,
      action: 'Switch off',
      run: () => enable.mutateAsync(false),
    })
  const askToRemove = () =>
    confirm({
      title: `Remove ${provider.name}?`,
      body: `Its rules go, and with them the credentials of its ${plural(provider.subjects, 'subject')}: each has to be registered anew if it ever comes back. ${cut} What they did stays on record.`,
      action: 'Remove the provider',
      typed: provider.name,
      run: async () => {
        const asked = performance.now()
        announceEnforced(await call('provider_remove', where), asked)
        onGone()
        await queryClient.invalidateQueries()
      },
    })
  return (
    <section className="stack">
      <h2>Stop it</h2>
      <div className="row">
        {provider.enabled ? <Act onClick={askToDisable}>Switch off</Act> : <Act onClick={() => enable.mutate(true)} loading={enable.isPending}>Switch on</Act>}
        <Act tone="danger" onClick={askToRemove}>Remove the provider</Act>
      </div>
    </section>
  )
}

import { Tabs } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { confirm } from '@/components/confirm'
import { CopyId } from '@/components/Copy'
import { announceEnforced } from '@/components/enforced'
import { HealthMark } from '@/components/Health'
import { IconAlertTriangle } from '@/components/icons'
import { Loaded } from '@/components/Loaded'
import { tellDone, tellFailed } from '@/components/notices'
import { Page } from '@/components/Page'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import { call } from '@/ipc/call'
import type { ServerDetail, ServerId, ServerView, Setting } from '@/ipc/generated'
import { serverDetail } from '@/ipc/queries'
import { plural } from '@/lib/format'
import { countOf } from '@/lib/kinds'
import { Origin } from './Origin'
import { Rediscover } from './Rediscover'
import { ServerPasses } from './ServerPasses'
import css from './Servers.module.css'
import { ServerTools } from './ServerTools'
import { Stderr } from './Stderr'
import { transportText } from './transport'

/** One server: its tools, what it writes, how it is reached. */
export function ServerPage() {
  const tenant = useTenant()
  const { server } = useParams({ from: '/frame/t/$tenant/servers/$server' })
  const query = useQuery({ ...serverDetail(tenant.id, server as ServerId), refetchInterval: 10_000 })
  return <Loaded query={query}>{(detail) => <Server detail={detail} />}</Loaded>
}

function Server({ detail }: { detail: ServerDetail }) {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const { server, tools, stderr } = detail
  const changed = tools.filter((tool) => tool.drift !== null)
  return (
    <Page
      title={server.name}
      lead={<><Link to="/t/$tenant/servers" params={{ tenant: tenant.name }}>Servers and tools</Link> · <code>{transportText(server.transport)}</code></>}
      actions={<Actions server={server} />}
    >
      <div className="row wrap" style={{ gap: 16 }}>
        <HealthMark server={server} />
        {server.since ? <span className="dim">since <Time at={server.since} /></span> : null}
        {server.restarts > 0 ? <span className="dim">restarted {plural(server.restarts, 'time')}</span> : null}
        <CopyId id={server.id} />
      </div>
      {server.problem ? (
        <div className={css.problem} role="alert"><IconAlertTriangle size={16} /><Untrusted text={server.problem} lines /></div>
      ) : null}
      {changed.length > 0 ? (
        <div className={css.drift} role="alert">
          <IconAlertTriangle size={16} />
          <span className="grow">{countOf(changed)} of this server changed since you took {changed.length === 1 ? 'it' : 'them'} in. Calls are refused until you have looked at the difference and accepted it.</span>
        </div>
      ) : null}
      <Tabs value={address.tab ?? 'tools'} onChange={(tab) => set({ tab: tab === 'tools' ? undefined : (tab ?? undefined) })} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="tools">Tools ({tools.length})</Tabs.Tab>
          <Tabs.Tab value="discover">Ask for its tools again</Tabs.Tab>
          <Tabs.Tab value="stderr">What it writes</Tabs.Tab>
          <Tabs.Tab value="passes">What passes{server.passes.length > 0 ? ` (${server.passes.length})` : ''}</Tabs.Tab>
          <Tabs.Tab value="reach">How it is reached</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="tools" pt="md"><ServerTools tools={tools} /></Tabs.Panel>
        <Tabs.Panel value="discover" pt="md"><Rediscover server={server} pinned={tools} /></Tabs.Panel>
        <Tabs.Panel value="stderr" pt="md"><Stderr lines={stderr} kind={server.transport.kind} /></Tabs.Panel>
        <Tabs.Panel value="passes" pt="md"><ServerPasses server={server} /></Tabs.Panel>
        <Tabs.Panel value="reach" pt="md"><div className="stack wide">{detail.origin ? <Origin server={server} origin={detail.origin} /> : null}<Reach server={server} /></div></Tabs.Panel>
      </Tabs>
    </Page>
  )
}

function Actions({ server }: { server: ServerView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const navigate = useNavigate()
  const where = { tenant: tenant.id, server: server.id }
  const done = (said: string) => async () => {
    tellDone(said)
    await queryClient.invalidateQueries()
  }
  const restart = useMutation({ mutationFn: () => call('server_restart', where), onSuccess: done(`${server.name} is starting anew`), onError: tellFailed })
  const enable = useMutation({
    mutationFn: (enabled: boolean) => call('server_set_enabled', { ...where, enabled }),
    onSuccess: done(`${server.name} is ${server.enabled ? 'off' : 'on'}`),
    onError: tellFailed,
  })
  const cut = `Agents lose ${plural(server.enabled_tools, 'tool')} with their next request; calls under way are broken off.`
  return (
    <>
      <Act onClick={() => restart.mutate()} loading={restart.isPending} disabledReason={server.enabled ? undefined : 'It is switched off'}>
        {server.transport.kind === 'stdio' ? 'Restart' : 'Reconnect'}
      </Act>
      {server.enabled ? (
        <Act onClick={() => confirm({ title: `Switch ${server.name} off?`, body: cut, action: 'Switch off', run: () => enable.mutateAsync(false) })}>Switch off</Act>
      ) : (
        <Act tone="primary" onClick={() => enable.mutate(true)}>Switch on</Act>
      )}
      <Act
        tone="danger"
        onClick={() =>
          confirm({
            title: `Remove ${server.name}?`,
            body: `${cut} Its ${plural(server.tools, 'row')} of the matrix and their grants are lost. What was called stays on record.`,
            action: 'Remove the server',
            run: async () => {
              const asked = performance.now()
              announceEnforced(await call('server_remove', where), asked)
              await navigate({ to: '/t/$tenant/servers', params: { tenant: tenant.name } })
              await queryClient.invalidateQueries()
            },
          })
        }
      >
        Remove
      </Act>
    </>
  )
}

/** A secret is named, and told from a text that reads the same. */
function Value({ setting }: { setting: Setting }) {
  return typeof setting === 'string' ? <code>{setting}</code> : <><span className="dim">the secret</span> <code>{setting.secret}</code></>
}

function Reach({ server: { transport } }: { server: ServerView }) {
  const settings = Object.entries(transport.kind === 'stdio' ? transport.env : transport.headers)
  return (
    <dl className={`facts ${css.reach}`}>
      <dt>{transport.kind === 'stdio' ? 'Command' : 'Address'}</dt><dd><code>{transportText(transport)}</code></dd>
      {transport.kind === 'stdio' ? <><dt>Folder</dt><dd>{transport.cwd ? <code>{transport.cwd}</code> : 'as the gateway'}</dd></> : null}
      {settings.map(([key, setting]) => (
        <div key={key} style={{ display: 'contents' }}><dt><code>{key}</code></dt><dd><Value setting={setting} /></dd></div>
      ))}
    </dl>
  )
}

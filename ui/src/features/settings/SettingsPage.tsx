import { SegmentedControl, useMantineColorScheme } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Fragment, type ReactNode } from 'react'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { CopyButton } from '@/components/Copy'
import { Loaded } from '@/components/Loaded'
import { tellDone, tellFailed } from '@/components/notices'
import { Page, Section } from '@/components/Page'
import { roleWord } from '@/components/role'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { StatusView } from '@/ipc/generated'
import { status, tenantList } from '@/ipc/queries'
import { hearsKeys } from '@/ipc/windows'
import { count } from '@/lib/format'
import { Consoles } from './Consoles'
import { Serving } from './Serving'
import { Secrets } from './Secrets'
import css from './SettingsPage.module.css'
import { Shortcut } from './Shortcut'
import { Webhook } from './Webhook'

/** How the gateway serves, how the console looks, who is at it, and where things are kept. */
export function SettingsPage() {
  const query = useQuery(status())
  return (
    <Page title="Settings">
      <Loaded query={query}>
        {(now) => (
          <div className={css.columns}>
            <Card title="Gateway"><Serving mayChange={now.operator?.role === 'owner' ? undefined : 'Only an owner changes how it serves'} /></Card>
            <Card title="Consoles on other machines"><Consoles isOwner={now.operator?.role === 'owner'} /></Card>
            <Card title="Word that calls wait"><Webhook isOwner={now.operator?.role === 'owner'} /></Card>
            {hearsKeys() ? <Card title="Keys from anywhere"><Shortcut /></Card> : null}
            <Card title="Secrets"><Secrets isOwner={now.operator?.role === 'owner'} /></Card>
            <Appearance />
            <Person status={now} />
            <Places status={now} />
            <Starter />
          </div>
        )}
      </Loaded>
    </Page>
  )
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Section title={title}>
      <div className="panel padded stack">{children}</div>
    </Section>
  )
}

function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Card title="Appearance">
      <SegmentedControl
        aria-label="Theme"
        value={colorScheme}
        onChange={(value) => setColorScheme(value as typeof colorScheme)}
        transitionDuration={0}
        data={[{ value: 'auto', label: 'As the system' }, { value: 'light', label: 'Light' }, { value: 'dark', label: 'Dark' }]}
      />
    </Card>
  )
}

function Person({ status: now }: { status: StatusView }) {
  const queryClient = useQueryClient()
  const lock = useMutation({
    mutationFn: () => call('lock'),
    onSuccess: (answer) => queryClient.setQueryData(status().queryKey, answer),
    onError: tellFailed,
  })
  if (!now.operator) return null
  return (
    <Card title="Who is here">
      <dl className="facts">
        <dt>Unlocked by</dt><dd>{now.operator.name}</dd>
        <dt>Role</dt><dd>{roleWord[now.operator.role]}</dd>
        <dt>Operator since</dt><dd><Time at={now.operator.created} /></dd>
        <dt>Locks by itself</dt><dd><Time at={now.locks_at} />, unless something happens</dd>
      </dl>
      <div><Act onClick={() => lock.mutate()}>Lock now</Act></div>
    </Card>
  )
}

// A path may be broken after its parts, not within a name.
const breakable = (path: string) =>
  path.split(/(?<=[/\\])/).map((part, at) => <Fragment key={at}>{part}<wbr /></Fragment>)

function Places({ status: now }: { status: StatusView }) {
  return (
    <Card title="Where things are">
      <dl className="facts">
        {now.attached ? <><dt>Gateway</dt><dd>On another machine: this is its console {now.attached.console_name}. What stands below is there</dd></> : null}
        <dt>Runs</dt><dd>{now.gateway.embedded ? 'In this app: agents reach it as long as the app runs' : 'In countersign serve: it goes on without this window'}</dd>
        <dt>Home</dt><dd className="row"><code className={css.path}>{breakable(now.home)}</code><CopyButton text={now.home} label="Copy the path of the home folder" /></dd>
        <dt>Policy in force</dt><dd>Version {count(now.policy_version)}</dd>
      </dl>
    </Card>
  )
}

function Starter() {
  const tenants = useQuery(tenantList())
  const queryClient = useQueryClient()
  const starter = tenants.data?.find((tenant) => tenant.starter)
  const load = useMutation({
    mutationFn: () => call('starter_load'),
    onSuccess: (tenant) => {
      tellDone(`The starter is there: tenant ${tenant.name}`)
      return queryClient.invalidateQueries()
    },
    onError: tellFailed,
  })
  const askToRemove = () =>
    confirm({
      title: 'Remove the starter?',
      body: `Tenant ${starter?.name ?? 'acme'} goes, with its agents, server, tools, matrix and sandbox folder. Its keys stop working at once. Audit events stay.`,
      action: 'Remove the starter',
      run: async () => {
        await call('starter_remove')
        await queryClient.invalidateQueries()
      },
    })
  return (
    <Card title="Starter">
      <p className="dim">A sample tenant to look around in: a server in a sandbox folder, four roles, four agents.</p>
      <div>
        {starter ? (
          <Act tone="danger" onClick={askToRemove}>Remove the starter</Act>
        ) : (
          <Act onClick={() => load.mutate()} loading={load.isPending}>Load the starter</Act>
        )}
      </div>
    </Card>
  )
}

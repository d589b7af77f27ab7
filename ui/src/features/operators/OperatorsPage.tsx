import { Menu } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { CopyId } from '@/components/Copy'
import { DataTable, type Column } from '@/components/DataTable'
import { Empty } from '@/components/Empty'
import { IconChevronDown } from '@/components/icons'
import { Loaded } from '@/components/Loaded'
import { Page } from '@/components/Page'
import { roleWord } from '@/components/role'
import { Time } from '@/components/Time'
import { call } from '@/ipc/call'
import type { OperatorView } from '@/ipc/generated'
import { operatorList, status } from '@/ipc/queries'
import { plural } from '@/lib/format'
import { Groups } from './Groups'
import css from './Operators.module.css'
import { AddOperator, ChangePassphrase, ChangeRole, Keys, RecoverOperator, RotateKey } from './dialogs'

type What = 'keys' | 'passphrase' | 'recover' | 'role' | 'rotate'
type Shown = { what: What; operator: OperatorView } | { what: 'add' } | null

const ONLY_OWNERS = 'Only an owner changes who may use the console'

/** The people who use the console. They belong to the whole installation. */
export function OperatorsPage() {
  const query = useQuery(operatorList())
  const own = useQuery(status()).data?.operator
  const [shown, show] = useState<Shown>(null)
  const isOwner = own?.role === 'owner'
  const close = () => show(null)
  const columns = columnsFor(own?.id, isOwner, show)
  return (
    <Page
      title="Operators"
      lead="Who may use this console, and whose signatures count. Each has a key of their own, sealed by a passphrase that is kept nowhere."
      actions={<Act tone="primary" disabledReason={isOwner ? undefined : ONLY_OWNERS} onClick={() => show({ what: 'add' })}>Add an operator</Act>}
    >
      <Loaded query={query}>
        {(all) => <DataTable label="Operators" rows={all} columns={columns} rowKey={(one) => one.id} empty={<Empty title="No operator">The console was not set up yet.</Empty>} />}
      </Loaded>
      <Groups mayChange={isOwner ? undefined : ONLY_OWNERS} />
      {shown?.what === 'add' ? <AddOperator onClose={close} /> : null}
      {shown?.what === 'role' ? <ChangeRole operator={shown.operator} onClose={close} /> : null}
      {shown?.what === 'recover' ? <RecoverOperator operator={shown.operator} onClose={close} /> : null}
      {shown?.what === 'passphrase' ? <ChangePassphrase operator={shown.operator} onClose={close} /> : null}
      {shown?.what === 'rotate' ? <RotateKey operator={shown.operator} onClose={close} /> : null}
      {shown?.what === 'keys' ? <Keys operator={shown.operator} onClose={close} /> : null}
    </Page>
  )
}

const columnsFor = (you: OperatorView['id'] | undefined, isOwner: boolean, show: (shown: Shown) => void): Column<OperatorView>[] => [
  {
    id: 'name', title: 'Operator', value: (one) => one.name,
    cell: (one) => <>{one.name} {one.id === you ? <span className="dim small">you</span> : null}</>,
  },
  { id: 'role', title: 'Role', value: (one) => roleWord[one.role], cell: (one) => roleWord[one.role] },
  { id: 'created', title: 'Since', value: (one) => one.created, cell: (one) => <Time at={one.created} /> },
  {
    id: 'key', title: 'Signing key',
    cell: (one) => (
      <span className={css.key}>
        <CopyId id={one.key} />
        {one.past_keys.length > 0 ? <Act tone="quiet" size="compact-xs" onClick={() => show({ what: 'keys', operator: one })}>{plural(one.past_keys.length, 'past key')}</Act> : null}
      </span>
    ),
  },
  { id: 'key_since', title: 'Key since', value: (one) => one.key_since, cell: (one) => <Time at={one.key_since} /> },
  {
    id: 'actions', title: '', align: 'end',
    cell: (one) => <Actions operator={one} isYou={one.id === you} isOwner={isOwner} show={(what) => show({ what, operator: one })} />,
  },
]

type ActionsProps = { operator: OperatorView; isYou: boolean; isOwner: boolean; show: (what: What) => void }

function Actions({ operator, isYou, isOwner, show }: ActionsProps) {
  const queryClient = useQueryClient()
  const askToRemove = () =>
    confirm({
      title: `Remove ${operator.name}?`,
      body: `${operator.name} can neither unlock the console nor sign from now on, and the key is forgotten. What they did and signed stays in the log under their name.`,
      action: 'Remove',
      typed: operator.name,
      run: async () => {
        await call('operator_remove', { operator: operator.id })
        await queryClient.invalidateQueries()
      },
    })
  const others = !isYou && isOwner
  return (
    <Menu position="bottom-end" transitionProps={{ duration: 0 }} withInitialFocusPlaceholder={false}>
      <Menu.Target><Act rightSection={<IconChevronDown size={14} />}>Change</Act></Menu.Target>
      <Menu.Dropdown>
        {isYou ? <Menu.Item onClick={() => show('passphrase')}>Change your passphrase</Menu.Item> : null}
        {isYou ? <Menu.Item onClick={() => show('rotate')}>Make another key</Menu.Item> : null}
        <Menu.Item onClick={() => show('keys')}>Show the keys</Menu.Item>
        {isOwner ? <Menu.Item onClick={() => show('role')}>Change the role</Menu.Item> : null}
        {others ? <Menu.Item onClick={() => show('recover')}>Let in again</Menu.Item> : null}
        {isOwner ? <Menu.Item color="red" onClick={askToRemove}>Remove</Menu.Item> : null}
      </Menu.Dropdown>
    </Menu>
  )
}

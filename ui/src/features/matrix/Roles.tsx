import { Menu, Modal, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { memo, useState, type FormEvent } from 'react'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { announceEnforced } from '@/components/enforced'
import { IconDots } from '@/components/icons'
import { Problem } from '@/components/Problem'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { MatrixView } from '@/ipc/generated'
import { plural } from '@/lib/format'
import { nameProblem } from '@/lib/names'
import css from './Matrix.module.css'

type Role = MatrixView['roles'][number]
type HeadProps = { role: Role; left: number; width: number; at: number; selected: boolean; onSelect: (at: number) => void }

/** The head of a column: its name selects the column, its menu removes the role. */
export const RoleHead = memo(function RoleHead({ role, left, width, at, selected, onSelect }: HeadProps) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const askToRemove = () =>
    confirm({
      title: `Remove role ${role.name}?`,
      body: `Its whole column of grants is lost, and ${plural(role.agents, 'agent')} ${role.agents === 1 ? 'loses' : 'lose'} what it gave, with the very next request.`,
      action: 'Remove the role',
      run: async () => {
        const asked = performance.now()
        announceEnforced(await call('role_remove', { tenant: tenant.id, role: role.id }), asked)
        await queryClient.invalidateQueries()
      },
    })
  return (
    <div className={css.roleHead} role="columnheader" aria-colindex={at + 2} data-selected={selected || undefined} style={{ left, width }}>
      <button type="button" tabIndex={-1} onClick={() => onSelect(at)} title={`${role.name}, ${plural(role.agents, 'agent')}: select the column`}>
        <b className="ellipsis">{role.name}</b>
        <span className="dim">{plural(role.agents, 'agent')}</span>
      </button>
      <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
        <Menu.Target>
          <button type="button" tabIndex={-1} className={css.roleMenu} aria-label={`More for role ${role.name}`}><IconDots size={14} /></button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => onSelect(at)}>Select the column</Menu.Item>
          <Menu.Item color="red" onClick={askToRemove}>Remove the role</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  )
})

/** Adds a column. */
export function AddRole() {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [opened, setOpened] = useState(false)
  const [name, setName] = useState('')
  const create = useMutation({
    mutationFn: async () => {
      const asked = performance.now()
      announceEnforced(await call('role_create', { tenant: tenant.id, name }), asked)
    },
    onSuccess: async () => {
      setOpened(false)
      setName('')
      await queryClient.invalidateQueries()
    },
  })
  const problem = nameProblem(name)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!problem) create.mutate()
  }
  return (
    <>
      <Act onClick={() => setOpened(true)}>Add a role</Act>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Add a role">
        <form onSubmit={submit} className="stack">
          <TextInput label="Name" description="A new column: everything is denied to it at first" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} error={name && problem} />
          {create.error ? <Problem error={create.error} /> : null}
          <div className="row spread">
            <Act onClick={() => setOpened(false)}>Cancel</Act>
            <Act type="submit" tone="primary" loading={create.isPending} disabledReason={problem}>Add</Act>
          </div>
        </form>
      </Modal>
    </>
  )
}

import { TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '@/ipc/call'
import { tenantSecrets } from '@/ipc/queries'
import { nameProblem } from '@/lib/names'
import { Act } from './Act'
import { Problem } from './Problem'
import { useTenant } from './tenant'

/** Keeps a secret of the tenant under a name. Its value is never shown again. */
export function StoreSecret({ onStored, tone = 'quiet' }: { onStored?: (name: string) => void; tone?: 'quiet' | 'plain' }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const [value, setValue] = useState('')
  const store = useMutation({
    mutationFn: () => call('tenant_secret_set', { tenant: tenant.id, name, value }),
    onSuccess: async () => {
      setOpen(false)
      await queryClient.invalidateQueries(tenantSecrets(tenant.id))
      onStored?.(name)
    },
    onSettled: () => setValue(''),
  })
  if (!open) return <Act tone={tone} onClick={() => setOpen(true)}>Store a secret</Act>
  return (
    <div className="stack grow">
      <div className="row">
        <TextInput size="xs" aria-label="Name of the secret" placeholder="name" autoFocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput size="xs" type="password" autoComplete="off" aria-label="Value of the secret" placeholder="value, never shown again" className="grow" value={value} onChange={(event) => setValue(event.currentTarget.value)} />
        <Act tone="primary" onClick={() => store.mutate()} loading={store.isPending} disabledReason={nameProblem(name) ?? (value ? undefined : 'The value is missing')}>Store</Act>
      </div>
      {store.error ? <Problem error={store.error} /> : null}
    </div>
  )
}

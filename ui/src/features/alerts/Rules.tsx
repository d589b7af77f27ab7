import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useAddress } from '@/components/address'
import { DataTable, type Column } from '@/components/DataTable'
import { Dialog } from '@/components/Dialog'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { useTenant } from '@/components/tenant'
import { Time } from '@/components/Time'
import type { AlertRuleView } from '@/ipc/generated'
import { alertRules } from '@/ipc/queries'
import { exactDuration } from '@/lib/format'
import css from './Alerts.module.css'
import { RuleForm } from './RuleForm'

/** The rules, as they are set for the tenant. */
export function Rules() {
  const tenant = useTenant()
  const [address, set] = useAddress()
  const query = useQuery(alertRules(tenant.id))
  const columns = useMemo(() => columnsWith(), [])
  const close = () => set({ rule: undefined })
  return (
    <Loaded query={query}>
      {(rules) => {
        const open = rules.find((rule) => rule.rule === address.rule)
        return (
          <>
            <DataTable label="Rules" rows={rules} columns={columns} rowKey={(rule) => rule.rule} onOpen={(rule) => set({ rule: rule.rule })} openKey={address.rule}
              empty={<Empty title="No rules">Rules say what is an alert.</Empty>} />
            {open ? (
              <Dialog onClose={close} title={open.title} size={520} closeOnClickOutside={false}>
                <RuleForm rule={open} onClose={close} />
              </Dialog>
            ) : null}
          </>
        )
      }}
    </Loaded>
  )
}

const columnsWith = (): Column<AlertRuleView>[] => [
  {
    id: 'rule', title: 'Fires when', value: (rule) => rule.title,
    cell: (rule) => <span className={css.what}><b>{rule.title}</b><span className="dim small">{rule.sentence}</span></span>,
  },
  { id: 'class', title: 'Class', width: 80, value: (rule) => rule.class, cell: (rule) => <span className="mono small">{rule.class}</span> },
  { id: 'where', title: 'Set for', width: 120, value: (rule) => (rule.everywhere ? 1 : 0), cell: (rule) => (rule.everywhere ? 'everything' : 'this tenant') },
  { id: 'contain', title: 'Cuts off', width: 90, cell: (rule) => (rule.contain === null ? <span className="dim">never</span> : rule.contain ? 'yes' : 'no') },
  { id: 'repeat', title: 'Same for', width: 90, value: (rule) => rule.repeat_secs.value, cell: (rule) => exactDuration(rule.repeat_secs.value) },
  { id: 'muted', title: 'Muted', width: 130, cell: (rule) => (rule.muted === null ? <span className="dim">no</span> : <Mark tone="care" title={rule.muted.reason}>until <Time at={rule.muted.until} /></Mark>) },
]

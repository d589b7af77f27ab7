import type { KeyboardEvent, ReactNode } from 'react'
import { kindWord } from '@/components/credential'
import { IconArrowDown, IconArrowUp } from '@/components/icons'
import { Mark } from '@/components/Mark'
import { Time } from '@/components/Time'
import { Untrusted } from '@/components/Untrusted'
import type { CredentialOrder, CredentialRow } from '@/ipc/generated'
import { count } from '@/lib/format'
import { AgeBar } from './AgeBar'
import css from './Credentials.module.css'
import { Soon } from './Soon'
import { nextSentence, nextWord, stageMeaning, stageTone, stageWord } from './words'

type Column = { id: string; title: string; order?: CredentialOrder; roomy?: boolean; end?: boolean; cell: (row: CredentialRow) => ReactNode }

const columns: Column[] = [
  { id: 'agent', title: 'Agent and credential', order: 'agent', cell: (row) => <Name row={row} /> },
  { id: 'stage', title: 'State', cell: (row) => <Mark tone={stageTone[row.stage]} title={stageMeaning[row.stage]}>{stageWord[row.stage]}</Mark> },
  { id: 'age', title: 'Age', order: 'created', cell: (row) => <AgeBar row={row} /> },
  { id: 'used', title: 'Last used', order: 'used', cell: (row) => <Time at={row.credential.last_used} /> },
  { id: 'next', title: 'Next', order: 'next', cell: (row) => <Next row={row} /> },
  { id: 'ends', title: 'Ends', order: 'ends', roomy: true, cell: (row) => <Time at={row.credential.overlap_ends ?? row.credential.expires} /> },
  { id: 'sessions', title: 'Sessions', roomy: true, end: true, cell: (row) => (row.sessions === 0 ? <span className="dim">0</span> : count(row.sessions)) },
]

type Props = {
  rows: CredentialRow[]
  open: string | undefined
  onOpen: (row: CredentialRow) => void
  order: CredentialOrder
  reversed: boolean
  onOrder: (order: CredentialOrder, reversed: boolean) => void
}

/** The credentials as the core has sorted them. Keys move from row to row. */
export function CredentialTable({ rows, open, onOpen, order, reversed, onOrder }: Props) {
  return (
    <div className={`panel ${css.frame}`}>
      <table className={css.table} aria-label="Credentials">
        <thead>
          <tr>
            {columns.map(({ id, title, order: own, roomy, end }) => {
              const isSorted = own === order
              return (
                <th key={id} data-roomy={roomy} data-end={end} aria-sort={isSorted ? (reversed ? 'descending' : 'ascending') : undefined}>
                  {own ? (
                    <button type="button" className={css.sort} onClick={() => onOrder(own, isSorted && !reversed)}>
                      {title}
                      {isSorted ? reversed ? <IconArrowDown size={12} /> : <IconArrowUp size={12} /> : null}
                    </button>
                  ) : title}
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody onKeyDown={move}>
          {rows.map((row) => (
            <tr key={row.credential.id} data-open={row.credential.id === open || undefined} data-over={row.stage === 'revoked' || row.stage === 'expired' || undefined} onClick={() => onOpen(row)}>
              {columns.map(({ id, roomy, end, cell }, at) => (
                <td key={id} data-roomy={roomy} data-end={end}>
                  {at === 0 ? <button type="button" data-row className={css.open}>{cell(row)}</button> : cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const steps: Record<string, number> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }

function move(event: KeyboardEvent<HTMLElement>) {
  const step = steps[event.key]
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-row]')]
  const next = all[all.indexOf(document.activeElement as HTMLElement) + step]
  event.preventDefault()
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

/** Whose it is, what kind it is of, and what it is recognised by. */
function Name({ row: { credential, agent_name } }: { row: CredentialRow }) {
  const { proof } = credential
  const named = proof.kind === 'external' ? proof.subject : proof.kind === 'certificate' ? proof.serial : credential.key_id
  return (
    <span className={css.name}>
      <span className="ellipsis">{agent_name}</span>
      <span className={css.what}><span className={css.kind}>{kindWord[credential.kind]}</span> <span className={css.id} title={named}><Untrusted text={named} mono /></span></span>
    </span>
  )
}

export function Next({ row: { next, successor, stage } }: { row: CredentialRow }) {
  if (next === null) return <span className="dim">nothing</span>
  return (
    <span className={css.next} title={nextSentence[next.what]}>
      <span className="nowrap">{nextWord[next.what]} <Soon at={next.at} /></span>
      {successor !== null && stage !== 'overlapping' ? <span className="dim small nowrap">successor made</span> : null}
    </span>
  )
}

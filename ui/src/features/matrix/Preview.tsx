import { Modal } from '@mantine/core'
import { Act } from '@/components/Act'
import { GrantMark, grantLabel, grantMeaning } from '@/components/Grant'
import { Untrusted } from '@/components/Untrusted'
import type { Grant, MatrixView } from '@/ipc/generated'
import { count, plural } from '@/lib/format'
import { marked } from '@/lib/kinds'
import css from './Matrix.module.css'
import type { Planned } from './sheet'

export type Proposal = { grant: Grant; changes: Planned[]; cells: number }
type Props = { proposal: Proposal | null; view: MatrixView; onAccept: () => void; onCancel: () => void }

const LISTED = 300
const rank: Record<Grant, number> = { deny: 0, token: 1, allow: 2 }

/** What setting many cells would change, before it is done. */
export function Preview({ proposal, view, onAccept, onCancel }: Props) {
  return (
    <Modal opened={proposal !== null} onClose={onCancel} title={proposal ? `Set ${plural(proposal.cells, 'cell')} to ${grantLabel[proposal.grant]}` : ''} size={560}>
      {proposal ? <Proposed proposal={proposal} view={view} onAccept={onAccept} onCancel={onCancel} /> : null}
    </Modal>
  )
}

function Proposed({ proposal: { grant, changes, cells }, view, onAccept, onCancel }: Props & { proposal: Proposal }) {
  const tools = new Map(view.tools.map((tool) => [tool.id, marked(tool)]))
  const roles = new Map(view.roles.map((role) => [role.id, role.name]))
  const wider = changes.filter((change) => rank[change.from] < rank[grant]).length
  const narrower = changes.length - wider
  return (
    <div className="stack">
      <p>
        {grantLabel[grant]}: {grantMeaning[grant]}.{' '}
        {changes.length === 0 ? 'Every selected cell has it already: nothing changes.' : `${plural(changes.length, 'cell')} would change, ${plural(cells - changes.length, 'cell')} ${cells - changes.length === 1 ? 'has' : 'have'} it already.`}
      </p>
      {narrower > 0 ? <p>{plural(narrower, 'change')} narrower: enforced for live sessions with their next request.</p> : null}
      {wider > 0 ? <p>{plural(wider, 'change')} wider: for sessions that open from now on.</p> : null}
      {changes.length > 0 ? (
        <div className={css.changes} tabIndex={0} role="region" aria-label="Changes">
          {changes.slice(0, LISTED).map((change) => (
            <div key={`${change.tool}${change.role}`} className={css.change}>
              <span className="ellipsis mono"><Untrusted text={tools.get(change.tool) ?? ''} /></span>
              <span className="ellipsis">{roles.get(change.role)}</span>
              <GrantMark grant={change.from} plain />
              <span className="dim" aria-label="becomes">→</span>
              <GrantMark grant={change.grant} plain />
            </div>
          ))}
          {changes.length > LISTED ? <div className={css.change}><span className="dim">and {count(changes.length - LISTED)} more</span></div> : null}
        </div>
      ) : null}
      <div className="row spread">
        <Act onClick={onCancel}>Cancel</Act>
        <span data-autofocus tabIndex={-1}>
          <Act tone="primary" onClick={onAccept} disabledReason={changes.length === 0 ? 'Nothing would change' : undefined}>Change {plural(changes.length, 'cell')}</Act>
        </span>
      </div>
    </div>
  )
}

import { Fragment } from 'react'
import { IconAlertTriangle } from '@/components/icons'
import { Mark } from '@/components/Mark'
import { Sentence } from '@/components/Sentence'
import { Untrusted } from '@/components/Untrusted'
import type { SecretsAuditView } from '@/ipc/generated'
import { count, plural } from '@/lib/format'
import { leftOut, lookedIn } from './secrets'
import css from './SettingsPage.module.css'

/** How many finds the backend tells of. */
const MOST = 200

/** What came of looking for secrets where none may stand. */
export function Leaks({ audit }: { audit: SecretsAuditView }) {
  const { found, unread } = audit
  const short = leftOut(audit)
  return (
    <div className="stack" role="status">
      {found.length === 0 ? (
        <p><Mark tone="good">No secret stands where none may</Mark></p>
      ) : (
        <div className={css.problem}>
          <IconAlertTriangle size={16} aria-hidden />
          <span><b>{found.length === 1 ? 'A secret stands where none may.' : `Secrets stand in ${count(found.length)} places${found.length < MOST ? '' : ', and maybe in more,'} where none may.`}</b> Replace {found.length === 1 ? 'it' : 'each'} first, then remove what has it.</span>
        </div>
      )}
      {found.length === 0 ? null : (
        <ul className={css.finds} tabIndex={0} aria-label="Secrets where none may stand">
          {found.map(({ what, place, at }) => (
            <li key={`${what} ${place}`}><b><Sentence text={what} /></b><code><Place path={place} /></code><span className="dim">at byte {count(at)}</span></li>
          ))}
        </ul>
      )}
      {unread.length === 0 ? null : (
        <details className={css.unread}>
          <summary>{plural(unread.length, 'place')} could not be read, and may have {unread.length === 1 ? 'one' : 'some'}</summary>
          <ul className={css.finds} tabIndex={0} aria-label="Places that could not be read">{unread.map((it) => <li key={it}><span><Place path={it} /></span></li>)}</ul>
        </details>
      )}
      <p className="dim small">Looked for {lookedIn(audit)}. {short}</p>
    </div>
  )
}

// Breaks after the parts of a path, not within a name. Whoever can write to the home names files there.
const Place = ({ path }: { path: string }) =>
  path.split(/(?<=[/\\])/).map((part, at) => <Fragment key={at}><Untrusted text={part} /><wbr /></Fragment>)

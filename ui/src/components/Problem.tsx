import { toIpcError } from '@/ipc/failure'
import type { ErrorCode } from '@/ipc/generated'
import { Act } from './Act'
import { CopyId } from './Copy'
import { IconAlertTriangle } from './icons'
import css from './Problem.module.css'
import { Sentence } from './Sentence'

export const problemTitle: Record<ErrorCode, string> = {
  conflict: 'Not possible as things are',
  forbidden: 'You may not do this',
  internal: 'Something went wrong inside Countersign',
  invalid: 'This cannot be accepted',
  locked: 'The console is locked',
  not_found: 'It is not there',
  stale: 'Somebody changed this meanwhile',
  unavailable: 'Not available now',
  upstream: 'The server did not do it',
  wrong_passphrase: 'Wrong passphrase',
}

/** What failed: what happened, what to do, and the id that finds the audit event. */
export function Problem({ error, again }: { error: unknown; again?: () => void }) {
  const failure = toIpcError(error)
  return (
    <div className={css.problem} role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <div className="grow stack tight">
        <strong>{problemTitle[failure.code]}</strong>
        <span><Sentence text={failure.message} /></span>
        {failure.correlation ? (
          <span className="small">
            Reference <CopyId id={failure.correlation} whole />
          </span>
        ) : null}
      </div>
      {again ? <Act onClick={again}>Try again</Act> : null}
    </div>
  )
}

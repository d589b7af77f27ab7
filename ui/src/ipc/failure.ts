import type { CorrelationId, ErrorCode, Failure } from './generated'

/** A command that failed, as the backend put it. */
export class IpcError extends Error implements Failure {
  override readonly name = 'IpcError'

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly correlation: CorrelationId = '' as CorrelationId,
    readonly field: string | null = null,
  ) {
    super(message)
  }
}

const codes: Record<ErrorCode, true> = {
  not_found: true,
  conflict: true,
  invalid: true,
  locked: true,
  forbidden: true,
  wrong_passphrase: true,
  stale: true,
  upstream: true,
  unavailable: true,
  internal: true,
}

// Tauri rejects with whatever the command serialised, or with a string when the command could
// not be reached at all: for instance, when no capability allows it.
export function toIpcError(thrown: unknown): IpcError {
  if (thrown instanceof IpcError) return thrown
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown) {
    const failure = thrown as Partial<Failure>
    const code = typeof failure.code === 'string' && failure.code in codes ? failure.code : 'internal'
    return new IpcError(
      code,
      String(failure.message),
      (typeof failure.correlation === 'string' ? failure.correlation : '') as CorrelationId,
      typeof failure.field === 'string' ? failure.field : null,
    )
  }
  if (thrown instanceof TypeError) {
    return new IpcError('unavailable', 'The backend does not answer. Check that Countersign still runs, then try again.')
  }
  return new IpcError('internal', thrown instanceof Error ? thrown.message : String(thrown))
}

import type { Setting, Transport } from '@/ipc/generated'

/** A word as a shell would need it quoted, so that what runs can be read without doubt. */
const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

/** The exact command, or the address. */
export function transportText(transport: Transport): string {
  return transport.kind === 'stdio' ? [transport.command, ...transport.args].map(quoted).join(' ') : transport.url
}

export type Row = { key: string; secret: boolean; value: string }

/** What a form holds until it is a transport. */
export type Draft = {
  kind: Transport['kind']
  command: string
  /** One argument a line: nothing is split or expanded. */
  args: string
  cwd: string
  url: string
  settings: Row[]
}

export const emptyDraft: Draft = { kind: 'stdio', command: '', args: '', cwd: '', url: '', settings: [] }

export function transportOf(draft: Draft): Transport {
  const settings = Object.fromEntries(
    draft.settings
      .filter((row) => row.key !== '')
      .map((row): [string, Setting] => [row.key, row.secret ? { secret: row.value } : row.value]),
  )
  if (draft.kind === 'http') return { kind: 'http', url: draft.url.trim(), headers: settings }
  return {
    kind: 'stdio',
    command: draft.command.trim(),
    args: draft.args.split('\n').filter((line) => line !== ''),
    env: settings,
    ...(draft.cwd.trim() && { cwd: draft.cwd.trim() }),
  }
}

/** What is missing or wrong in a draft; nothing when it can be tried. */
export function draftProblem(draft: Draft): string | undefined {
  if (draft.kind === 'stdio' && draft.command.trim() === '') return 'The command is missing'
  if (draft.kind === 'http') {
    const url = URL.canParse(draft.url.trim()) ? new URL(draft.url.trim()) : null
    if (!url) return 'The address is missing or no URL'
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'The address begins with https:// or http://'
  }
  return draft.settings.some((row) => row.key !== '' && row.value === '')
    ? `A ${draft.kind === 'stdio' ? 'variable' : 'header'} has no value`
    : undefined
}

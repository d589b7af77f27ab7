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

/** What a form holds of a server that comes from a template. */
export type From = { template: string; settings: Record<string, string> }

/** A transport as a form holds it. */
export function draftOf(transport: Transport): Draft {
  const settings = Object.entries(transport.kind === 'stdio' ? transport.env : transport.headers)
  const rows = settings.map(([key, setting]): Row => (
    typeof setting === 'string' ? { key, secret: false, value: setting } : { key, secret: true, value: setting.secret }
  ))
  if (transport.kind === 'http') return { ...emptyDraft, kind: 'http', url: transport.url, settings: rows }
  return { ...emptyDraft, command: transport.command, args: transport.args.join('\n'), cwd: transport.cwd ?? '', settings: rows }
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

/** What is missing or wrong in a draft; nothing when it can be tried. In a template, places may stand. */
export function draftProblem(draft: Draft, places = false): string | undefined {
  if (draft.kind === 'stdio' && draft.command.trim() === '') return 'The command is missing'
  if (draft.kind === 'http') {
    const text = places ? draft.url.trim().replaceAll(/\$\{\w+\}/g, 'x') : draft.url.trim()
    const url = URL.canParse(text) ? new URL(text) : null
    if (!url) return 'The address is missing or no URL'
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'The address begins with https:// or http://'
  }
  return draft.settings.some((row) => row.key !== '' && row.value === '')
    ? `A ${draft.kind === 'stdio' ? 'variable' : 'header'} has no value`
    : undefined
}

import type { SecretKeeping, SecretsAuditView, VaultAt, VaultMethod } from '@/ipc/generated'
import { count, plural } from '@/lib/format'

/** Where secrets can be moved to. */
export type Store = Exclude<SecretKeeping, 'memory'>

export const storeWord: Record<SecretKeeping, string> = {
  keychain: 'The system’s keychain', file: 'The sealed file secrets.age in the home folder',
  memory: 'Memory, for a test', vault: 'HashiCorp Vault or OpenBao',
}

/** Within a sentence. */
export const storeName: Record<SecretKeeping, string> = { keychain: 'the keychain', file: 'the sealed file', memory: 'memory', vault: 'Vault' }

/** What is typed to say where Vault is. */
export interface VaultForm { address: string; namespace: string; mount: string; path: string; ca: string; method: VaultMethod; login: string; role: string; file: string }

/** Nothing typed yet. */
export const nowhere: VaultForm = { address: '', namespace: '', mount: '', path: '', ca: '', method: 'approle', login: '', role: '', file: '' }

/** What is wrong with the address of a Vault, once it is typed. */
export function addressProblem(typed: string): string | undefined {
  if (!URL.canParse(typed)) return 'An address that begins with https://'
  const { protocol, hostname, username, password, pathname, search, hash } = new URL(typed)
  if (protocol !== 'https:' && protocol !== 'http:') return 'An address that begins with https://'
  if (protocol === 'http:' && !isHere(hostname)) return 'Vault is spoken to over https://; over http:// on this machine alone'
  return username + password + search + hash !== '' || pathname !== '/' ? 'A scheme, a host and a port, and nothing else' : undefined
}

const isHere = (host: string) => host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)

/** What is wrong with the name of a file on the gateway’s machine, once it is typed. */
export const fileProblem = (typed: string) =>
  (/^(?:\/|[A-Za-z]:[\\/]|\\\\)./.test(typed) ? undefined : 'Its whole path, from the top')

/** What is missing or cannot be; the backend has the last word. */
export function vaultProblem(form: VaultForm): string | undefined {
  if (form.address.trim() === '') return 'Say where Vault is first'
  return addressProblem(form.address.trim())
    ?? (form.role.trim() === '' ? 'Say the role first' : undefined)
    ?? (form.file.trim() === '' ? 'Say which file logs in' : fileProblem(form.file.trim()))
    ?? (form.ca.trim() === '' ? undefined : fileProblem(form.ca.trim()))
}

/** The place that was typed, without what was left empty. */
export function vaultOf(form: VaultForm): VaultAt {
  const filled = (key: 'namespace' | 'mount' | 'path') => (form[key].trim() === '' ? {} : { [key]: form[key].trim() })
  return {
    address: form.address.trim(), ...filled('namespace'), ...filled('mount'), ...filled('path'), ...(form.ca.trim() && { ca_file: form.ca.trim() }),
    login: { method: form.method, ...(form.login.trim() && { mount: form.login.trim() }), role: form.role.trim(), file: form.file.trim() },
  }
}

/** Among what secrets were looked for. */
export function lookedIn({ secrets, too_short: short, files, processes }: SecretsAuditView): string {
  const what = `${plural(secrets - short, 'secret')} in ${plural(files, 'file')} of the home`
  return `${what} ${processes === 0 ? 'alone: this system shows no processes' : `and in what ${plural(processes, 'process', 'processes')} ${processes === 1 ? 'was' : 'were'} started with`}`
}

/** What was left out of it; nothing, when nothing was. */
export function leftOut({ too_short: short }: SecretsAuditView): string | undefined {
  if (short === 0) return undefined
  return `${count(short)} ${short === 1 ? 'is' : 'are'} too short to be told from chance, and ${short === 1 ? 'was' : 'were'} not looked for.`
}

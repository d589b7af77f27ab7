/** Where the mock keeps its secrets. */
import { IpcError } from '../failure'
import type { LeakView, SecretsView, VaultAt } from '../generated'
import type { Handlers } from './backend'
import { ago, correlation, digest } from './clock'
import { changed } from './handle-status'
import type { Size, World } from './world'

const policy = (mount = 'secret', path = 'countersign') => `path "${mount}/data/${path}/3f0c/*" {
  capabilities = ["create", "read", "update"]
}
path "${mount}/metadata/${path}/3f0c/*" {
  capabilities = ["create", "update", "delete"]
}
`

const there: VaultAt = {
  address: 'https://vault.platform-team.eu-central.acme.example:8200', namespace: 'platform/production', mount: 'kv', path: 'countersign/production', ca_file: '/etc/countersign/vault-ca.pem',
  login: { method: 'jwt', mount: 'kubernetes-eu-central', role: 'countersign-gateway', file: '/var/run/secrets/vault/token' },
}

/** In the keychain; in Vault where there is much; a move that is not done where little stands. */
export function makeSecrets(size: Size): SecretsView {
  const plain: SecretsView = { store: 'keychain', vault: null, policy: policy(), moving: null }
  if (size === 'crowded') return { ...plain, moving: { copied: true, other: 'file', vault: null, began: ago(60 * 26) } }
  if (size === 'hoard') return { ...plain, store: 'vault', vault: there, policy: policy(there.mount, there.path) }
  return size === 'halted' ? { ...plain, store: 'file', moving: { copied: false, other: 'vault', vault: there, began: ago(3 * 60 * 60) } } : plain
}

const isOwner = (world: World, owner: string) => {
  if (owner !== world.passphrase) throw new IpcError('wrong_passphrase', 'This is not the passphrase of an operator.', correlation())
}

const HOME = '/home/ada/.local/share/countersign'

const leaks = (): LeakView[] => [
  { what: 'API key csk_acme_7Qm2', place: `${HOME}/exports/calls-2026-11.csv`, at: 20_481 },
  { what: 'secret `crm-token` of `acme`', place: `${HOME}/exports/a-folder-with-a-very-long-name-that-nobody-shortened-before-it-was-archived/2026/11/22/full-export-of-every-call-with-arguments-and-answers.ndjson`, at: 1_048_576_003 },
  { what: 'secret `crm-token` of `acme`', place: 'environ of process 81230', at: 412 },
  ...Array.from({ length: 24 }, (_, at) => ({ what: `API key csk_acme_${digest().slice(-12)}`, place: `${HOME}/logs/gateway.log.${at + 1}`, at: 9_000 * (at + 1) })),
]

export const secretsHandlers: Handlers = {
  secrets_show: (world, { mount, path }) => {
    if (`${mount ?? ''}${path ?? ''}`.includes(' ')) throw new IpcError('invalid', 'a path of Vault is of letters, digits, `-`, `_` and `.`, and `/` between its parts', correlation(), 'path')
    return mount === undefined && path === undefined ? world.secrets : { ...world.secrets, policy: policy(mount, path) }
  },
  secrets_move: (world, { to, vault, owner }) => {
    isOwner(world, owner)
    const { store, moving } = world.secrets
    if (moving?.copied === false && moving.other !== to) throw new IpcError('conflict', 'A move was begun and is not done; go on with that one, or give it up', correlation())
    if (to === store && to !== 'vault' && moving?.copied !== true) throw new IpcError('conflict', `Secrets are kept in the ${to} already.`, correlation())
    if (vault?.address.includes('sealed') === true) throw new IpcError('unavailable', 'Vault is locked; it is sealed; unseal it, and try again', correlation())
    if (vault?.address.includes('refuses') === true) throw new IpcError('unavailable', 'Vault refused this; the policy of its role does not allow this path; `countersign secrets policy` prints one that does', correlation())
    const at = vault ?? (to === 'vault' ? (moving?.vault ?? null) : null)
    world.secrets = { store: to, vault: at, policy: policy(at?.mount, at?.path), moving: null }
    world.status.secret_store = to
    changed('status')
    return world.secrets
  },
  secrets_erase: (world, { owner }) => {
    isOwner(world, owner)
    if (world.secrets.moving?.copied !== true) throw new IpcError('conflict', 'No move of the secrets has left anything to erase.', correlation())
    world.secrets = { ...world.secrets, moving: null }
    return world.secrets
  },
  secrets_stay: (world, { owner }) => {
    isOwner(world, owner)
    if (world.secrets.moving?.copied !== false) throw new IpcError('conflict', 'No move of the secrets can be given up.', correlation())
    world.secrets = { ...world.secrets, moving: null }
    return world.secrets
  },
  secrets_audit: (world) => ({
    secrets: 41, too_short: world.secrets.moving === null ? 0 : 2, files: 23, bytes: 18_874_368, processes: 112,
    unread: world.secrets.moving === null ? [] : [`${HOME}/backups: Permission denied (os error 13)`, `${HOME}/exports/held.csv: Permission denied (os error 13)`],
    found: world.secrets.moving === null ? [] : leaks(),
  }),
}

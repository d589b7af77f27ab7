// An identity provider: oidc-provider on a loopback address, for the tests of access tokens.
//
// The plan is one JSON object, given as the only argument:
//
//   { "resources": ["http://127.0.0.1:PORT/t/acme/task/workbench/mcp"],  who tokens may be for
//     "roles": { "bot": ["executor"] },                                  the claim mcp_role, by client
//     "seconds": 300 }                                                   how long tokens last
//
// Three clients are registered: `bot` with the secret that it reports, `signer` with a key
// (private_key_jwt), and `gateway`, which may introspect and revoke. The first line it prints is
//
//   { "issuer": ..., "secrets": { "bot": ..., "gateway": ... }, "key": the private JWK of `signer` }
//
// Afterwards it reads one command a line and answers with one line each:
//
//   rotate        a new signing key beside the old one
//   drop          a new signing key in place of the old one
//   seconds N     tokens last N seconds from now on
//   token R S     an access token of `bot` for the resource R, with the scopes S (joined by +)
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import Provider, { errors } from 'oidc-provider'

const plan = JSON.parse(process.argv[2] ?? '{}')
const scope = 'mcp:connect files:write'
const secrets = { bot: randomBytes(32).toString('hex'), gateway: randomBytes(32).toString('hex') }
let seconds = plan.seconds ?? 300

async function newKey() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const key = await exportJWK(privateKey)
  return { ...key, alg: 'ES256', use: 'sig', kid: await calculateJwkThumbprint(key) }
}

/** One store for every instance, so that clients and tokens outlive a rotation. */
const kept = new Map()
class Kept {
  constructor(kind) {
    this.kind = kind
  }
  name(id) {
    return `${this.kind} ${id}`
  }
  async upsert(id, payload) {
    kept.set(this.name(id), payload)
  }
  async find(id) {
    return kept.get(this.name(id))
  }
  async consume(id) {
    const payload = kept.get(this.name(id))
    if (payload) payload.consumed = Math.floor(Date.now() / 1000)
  }
  async destroy(id) {
    kept.delete(this.name(id))
  }
  async findByUid() {}
  async findByUserCode() {}
  async revokeByGrantId() {}
}

const signer = await newKey()
const { d: _, ...signerPublic } = signer
const usual = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope }
const basic = { ...usual, token_endpoint_auth_method: 'client_secret_basic' }
const clients = [
  { ...basic, client_id: 'bot', client_secret: secrets.bot },
  { ...basic, client_id: 'gateway', client_secret: secrets.gateway },
  {
    ...usual,
    client_id: 'signer',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [signerPublic] },
  },
]

let keys = [await newKey()]
let issuer = ''
let answer

function build() {
  const mayAsk = (_context, client, token) => ['gateway', token.clientId].includes(client.clientId)
  const provider = new Provider(issuer, {
    adapter: Kept,
    clients,
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    jwks: { keys },
    scopes: scope.split(' '),
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'] },
    extraTokenClaims: (_context, token) => ({ mcp_role: plan.roles?.[token.clientId] ?? [] }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      introspection: { enabled: true, allowedPolicy: mayAsk },
      revocation: { enabled: true, allowedPolicy: mayAsk },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_context, resource) {
          if (!plan.resources.includes(resource)) throw new errors.InvalidTarget()
          const jwt = { sign: { alg: 'ES256', kid: keys[0].kid } }
          const format = plan.opaque ? { accessTokenFormat: 'opaque' } : { accessTokenFormat: 'jwt', jwt }
          return { audience: resource, scope, accessTokenTTL: seconds, ...format }
        },
      },
    },
    ttl: { ClientCredentials: () => seconds },
  })
  answer = provider.callback()
}

const server = createServer((request, response) => answer(request, response))
server.listen(0, '127.0.0.1', () => {
  issuer = `http://127.0.0.1:${server.address().port}`
  build()
  process.stdout.write(`${JSON.stringify({ issuer, secrets, key: signer })}\n`)
})

async function token(resource, scopes) {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    resource,
    scope: scopes.replaceAll('+', ' '),
  })
  const authorization = `Basic ${Buffer.from(`bot:${secrets.bot}`).toString('base64')}`
  const answer = await fetch(`${issuer}/token`, { method: 'POST', headers: { authorization }, body })
  return answer.json()
}

for await (const line of createInterface({ input: process.stdin })) {
  const [word, value, more = ''] = line.split(' ')
  if (word === 'token') {
    process.stdout.write(`${JSON.stringify(await token(value, more))}\n`)
    continue
  }
  if (word === 'rotate') keys = [await newKey(), ...keys]
  if (word === 'drop') keys = [await newKey()]
  if (word === 'seconds') seconds = Number(value)
  build()
  process.stdout.write(`${JSON.stringify({ keys: keys.map((key) => key.kid) })}\n`)
}
process.exit(0)

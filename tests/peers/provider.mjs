// An identity provider: oidc-provider on a loopback address, for the tests of access tokens.
//
// The plan is one JSON object, given as the only argument:
//
//   { "resources": ["http://127.0.0.1:PORT/t/acme/task/workbench/mcp"],  who tokens may be for
//     "roles": { "bot": ["executor"] },                                  the claim mcp_role, by client
//     "seconds": 300,                                                    how long tokens last
//     "opaque": true,                                                    tokens say nothing themselves
//     "tls": { "cert": FILE, "key": FILE },                              where it takes certificates
//     "state": what an earlier one reported }                            to be that one again
//
// Three clients are registered: `bot` with the secret that it reports, `signer` with a key
// (private_key_jwt), and `gateway`, which may introspect and revoke. The first line it prints is
//
//   { "issuer": ..., "secrets": { "bot": ..., "gateway": ... }, "key": the private JWK of `signer`,
//     "pem": the same in PKCS 8, "state": { ... } }
//
// Afterwards it reads one command a line and answers with one line each:
//
//   rotate        a new signing key beside the old one
//   drop          a new signing key in place of the old one
//   seconds N     tokens last N seconds from now on
//   token R S     an access token of `bot` for the resource R, with the scopes S (joined by +)
//   revoke T      withdraws a token of `bot`
//   dpop R S      the same as `token`, bound to a key (RFC 9449)
//   proof M U T   a proof with that key for one request with the token: its method and its URL
//   trust FILE    registers the client `bound`, whose certificate is in the file
//   bound R S C K an access token of `bound`, by its certificate and key (RFC 8705)
import { X509Certificate, createHash, createPrivateKey, randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer, request as tlsRequest } from 'node:https'
import { createInterface } from 'node:readline'
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import Provider, { errors } from 'oidc-provider'

const plan = JSON.parse(process.argv[2] ?? '{}')
const scope = 'mcp:connect files:write'
const secret = () => randomBytes(32).toString('hex')
const secrets = plan.state?.secrets ?? { bot: secret(), gateway: secret() }
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

const signer = plan.state?.signer ?? (await newKey())
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

let keys = plan.state?.keys ?? [await newKey()]
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
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt', 'self_signed_tls_client_auth'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'] },
    extraTokenClaims: (_context, token) => ({ mcp_role: plan.roles?.[token.clientId] ?? [] }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      introspection: { enabled: true, allowedPolicy: mayAsk },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        getCertificate: (context) => context.req.socket.getPeerX509Certificate?.(),
      },
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

const serve = (request, response) => answer(request, response)
const server = createServer(serve)
let secure
if (plan.tls) {
  const [cert, key] = [plan.tls.cert, plan.tls.key].map((file) => readFileSync(file))
  // Any certificate gets in here; which of them is a client's, the provider itself says.
  secure = createTlsServer({ cert, key, requestCert: true, rejectUnauthorized: false }, serve)
  secure.listen(0, '127.0.0.1')
}
server.listen(plan.state?.port ?? 0, '127.0.0.1', () => {
  const { port } = server.address()
  issuer = `http://127.0.0.1:${port}`
  build()
  const state = { port, keys, secrets, signer }
  const pem = createPrivateKey({ key: signer, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' })
  process.stdout.write(`${JSON.stringify({ issuer, secrets, key: signer, pem, state })}\n`)
})

const asked = (resource, scopes) => ({
  grant_type: 'client_credentials',
  resource,
  scope: scopes.replaceAll('+', ' '),
})

async function post(path, fields, headers = {}) {
  const authorization = `Basic ${Buffer.from(`bot:${secrets.bot}`).toString('base64')}`
  const body = new URLSearchParams(fields)
  headers = { authorization, ...headers }
  const answer = await fetch(`${issuer}${path}`, { method: 'POST', headers, body })
  const text = await answer.text()
  return text ? JSON.parse(text) : {}
}

const holder = await generateKeyPair('ES256', { extractable: true })
const holderPublic = await exportJWK(holder.publicKey)

function prove(method, url, token) {
  const ath = token && createHash('sha256').update(token).digest('base64url')
  const claims = { htm: method, htu: url, jti: randomUUID(), ...(ath && { ath }) }
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: holderPublic }
  return new SignJWT(claims).setProtectedHeader(header).setIssuedAt().sign(holder.privateKey)
}

function trust(file) {
  const certificate = new X509Certificate(readFileSync(file))
  const jwk = certificate.publicKey.export({ format: 'jwk' })
  const print = createHash('sha256').update(certificate.raw).digest('base64url')
  const key = { ...jwk, x5c: [certificate.raw.toString('base64')], 'x5t#S256': print }
  clients.push({
    ...usual,
    client_id: 'bound',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    tls_client_certificate_bound_access_tokens: true,
    jwks: { keys: [key] },
  })
  build()
}

/** Asks at the place that takes certificates. Its own nobody checks here: it is this process. */
function bound(resource, scopes, cert, key) {
  const body = new URLSearchParams({ ...asked(resource, scopes), client_id: 'bound' }).toString()
  const own = { cert: readFileSync(cert), key: readFileSync(key), rejectUnauthorized: false }
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(body),
  }
  const url = `https://127.0.0.1:${secure.address().port}/token`
  return new Promise((resolve, reject) => {
    const request = tlsRequest(url, { ...own, method: 'POST', headers }, async (response) => {
      let text = ''
      for await (const part of response) text += part
      resolve(JSON.parse(text))
    })
    request.on('error', reject)
    request.end(body)
  })
}

const commands = {
  token: (resource, scopes) => post('/token', asked(resource, scopes)),
  revoke: (token) => post('/token/revocation', { token }),
  async dpop(resource, scopes) {
    const dpop = await prove('POST', `${issuer}/token`)
    return post('/token', asked(resource, scopes), { dpop })
  },
  proof: async (method, url, token) => ({ proof: await prove(method, url, token) }),
  trust,
  bound,
  async rotate() {
    keys = [await newKey(), ...keys]
  },
  async drop() {
    keys = [await newKey()]
  },
  seconds(value) {
    seconds = Number(value)
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ')
  let said = await commands[word](...rest)
  if (said === undefined) {
    build()
    said = { keys: keys.map((key) => key.kid) }
  }
  process.stdout.write(`${JSON.stringify(said)}\n`)
}
process.exit(0)

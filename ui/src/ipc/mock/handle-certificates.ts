import { IpcError } from '../failure'
import type { Handlers } from './backend'
import { ago, ahead, correlation, digest } from './clock'
import { makeCertificate, makeOutside, noAuthority, ownAuthority, pem } from './certificates'
import { makeCredentialOf } from './identity'
import { changed, missing, tenantOf } from './handle-status'
import type { World } from './world'

function outsideOf(world: World, tenant: string, authority: string) {
  const found = tenantOf(world, tenant).authority?.outside.find((one) => one.id === authority)
  if (!found) throw missing('authority')
  return found
}

export const certificateHandlers: Handlers = {
  authority_show: (world, { tenant }) => {
    const found = tenantOf(world, tenant)
    const revoked = found.agents.flatMap((agent) => agent.credentials).filter(({ kind, state }) => kind === 'certificate' && state === 'revoked').length
    return found.authority ? { ...found.authority, revoked } : noAuthority(found)
  },
  authority_rotate: (world, { tenant }) => {
    const found = tenantOf(world, tenant)
    const before = (found.authority ??= ownAuthority(found))
    const former = { certificate: before.certificate ?? '', retired: ago(0), ends: ahead(600_000), list_number: before.list_number, list: before.list }
    return Object.assign(before, { certificate: pem('CERTIFICATE', 8), created: ago(0), list_number: 0, list: null, former: [former, ...before.former] })
  },
  authority_add: (world, { tenant, name, prefix, crl }) => {
    const found = tenantOf(world, tenant)
    const authority = (found.authority ??= noAuthority(found))
    if (authority.outside.some((one) => one.name === name)) throw new IpcError('conflict', `An authority named ${name} exists already.`, correlation(), 'name')
    const bare = crl === undefined ? { standing: 'no_list' as const, problem: 'there is no revocation list, so certificates of this authority open nothing; hand one in', lists: [], listed: null } : {}
    const added = makeOutside(name, prefix, { ...bare, credentials: 0, created: ago(0) })
    authority.outside.push(added)
    return added
  },
  authority_list_update: (world, { tenant, authority }) =>
    Object.assign(outsideOf(world, tenant, authority), { standing: 'trusted' as const, problem: null, lists: [{ signed: ago(60), until: ahead(600_000), revoked: 5 }], listed: ago(0) }),
  authority_remove: (world, { tenant, authority }) => {
    const gone = outsideOf(world, tenant, authority)
    const found = tenantOf(world, tenant)
    if (found.authority) found.authority.outside = found.authority.outside.filter((one) => one !== gone)
    for (const credential of found.agents.flatMap((agent) => agent.credentials)) {
      if (credential.proof.kind === 'outside_certificate' && credential.proof.authority === authority) credential.state = 'revoked'
    }
    return null
  },
  certificate_register: (world, { tenant, agent, authority, spiffe, certificate, networks }) => {
    const owner = tenantOf(world, tenant).agents.find((one) => one.id === agent)
    if (!owner) throw missing('agent')
    const issuer = outsideOf(world, tenant, authority)
    const proof = { kind: 'outside_certificate' as const, authority: issuer.id, fingerprint: certificate === undefined ? null : digest(), spiffe: spiffe ?? null }
    const credential = makeCredentialOf(owner, `${issuer.name}/${owner.name}`, proof, networks ?? [])
    owner.credentials.push(credential)
    issuer.credentials += 1
    return credential
  },
  certificate_issue: (world, { tenant, agent, csr, lifetime_secs, task, networks }) => {
    const found = tenantOf(world, tenant)
    const owner = found.agents.find((one) => one.id === agent)
    if (!owner) throw missing('agent')
    if (csr?.includes('WEAK')) throw new IpcError('invalid', 'The key of this request is too weak: an RSA key has at least 2048 bits.', correlation(), 'csr')
    found.authority ??= ownAuthority(found)
    const credential = makeCertificate(found, owner, 0, lifetime_secs ?? 86_400)
    credential.networks = networks ?? []
    owner.credentials.push(credential)
    changed('registry')
    if (credential.proof.kind !== 'certificate') throw missing('certificate')
    const { serial, fingerprint, spiffe, pem: certificate } = credential.proof
    const taskName = found.tasks.find((one) => one.id === task)?.name
    const endpoint = `${world.status.gateway.url}/t/${found.view.name}${taskName ? `/task/${taskName}` : ''}/mcp`
    return {
      credential: credential.id, spiffe, serial, fingerprint, certificate, key: csr === undefined ? pem('PRIVATE KEY', 3) : null,
      authority: found.authority.certificate ?? '', server_authority: found.authority.server_authority ?? '', expires: credential.expires, endpoint,
      configurations: [
        { title: 'The files', hint: `Save the certificate as ${owner.name}.pem, its key as ${owner.name}.key and the authority of the gateway as countersign.pem, and close the key to others.`, language: 'shell', text: `chmod 600 ${owner.name}.key` },
        { title: 'curl', hint: 'Opens a session.', language: 'shell', text: `curl --cert ${owner.name}.pem --key ${owner.name}.key --cacert countersign.pem \\\n  --header 'Content-Type: application/json' \\\n  ${endpoint}` },
        { title: 'An MCP client that takes certificates', hint: 'Streamable HTTP over TLS 1.3. What these settings are called depends on the client.', language: 'json', text: JSON.stringify({ url: endpoint, certificate: `${owner.name}.pem`, private_key: `${owner.name}.key`, certificate_authority: 'countersign.pem' }, null, 2) },
      ],
    }
  },
}

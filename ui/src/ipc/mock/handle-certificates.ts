import { IpcError } from '../failure'
import type { Handlers } from './backend'
import { correlation } from './clock'
import { makeCertificate, noAuthority, ownAuthority, pem } from './certificates'
import { changed, missing, tenantOf } from './handle-status'

export const certificateHandlers: Handlers = {
  authority_show: (world, { tenant }) => {
    const found = tenantOf(world, tenant)
    const revoked = found.agents.flatMap((agent) => agent.credentials).filter(({ kind, state }) => kind === 'certificate' && state === 'revoked').length
    return found.authority ? { ...found.authority, revoked } : noAuthority(found)
  },
  certificate_issue: (world, { tenant, agent, csr, lifetime_secs, task }) => {
    const found = tenantOf(world, tenant)
    const owner = found.agents.find((one) => one.id === agent)
    if (!owner) throw missing('agent')
    if (csr?.includes('WEAK')) throw new IpcError('invalid', 'The key of this request is too weak: an RSA key has at least 2048 bits.', correlation(), 'csr')
    found.authority ??= ownAuthority(found)
    const credential = makeCertificate(found, owner, 0, lifetime_secs ?? 86_400)
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

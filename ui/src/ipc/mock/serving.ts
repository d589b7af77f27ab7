/** How the gateway of the mock serves. */
import type { ServingSettings, ServingView, StatusView } from '../generated'
import { ago, ahead, digest } from './clock'

const usual: ServingSettings = { listen: '127.0.0.1:7411', tls: false, names: [], oldest: '1.3', durability: 'disk' }
const reachable: ServingSettings = { listen: '0.0.0.0:7443', tls: true, names: ['gateway.acme.example', 'gateway-of-the-platform-team.internal.acme.example', '10.20.4.1'], oldest: '1.2', durability: 'process', consoles: '10.20.4.1:7412' }

export const makeServing = (crowded: boolean): ServingView => served(crowded ? reachable : usual)

/** What is shown once it serves like this. */
export function served(wanted: ServingSettings): ServingView {
  const port = wanted.listen.slice(wanted.listen.lastIndexOf(':') + 1)
  return {
    listen: wanted.listen, origin: wanted.tls ? `https://${wanted.names[0] ?? 'localhost'}:${port}` : `http://${wanted.listen}`, state: 'serving', problem: null, wanted, pending: false, locked_by_flags: false, consoles: { listen: wanted.consoles ?? null, problem: null, locked_by_flags: false },
    tls: wanted.tls ? {
      names: wanted.names, oldest: wanted.oldest,
      certificate: { subject: '', serial: digest().slice(0, 32), fingerprint: digest(), names: wanted.names, from: ago(40_000), until: ahead(86_400 * 6), authority: 'Countersign servers' },
    } : null,
  }
}

/** The gateway of the status follows. */
export const gatewayOf = (serving: ServingView, gateway: StatusView['gateway']): StatusView['gateway'] => ({ ...gateway, url: serving.origin })

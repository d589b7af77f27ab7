/** The web server of the mock that is told when calls begin to wait. */
import { IpcError } from '../failure'
import type { WebhookView } from '../generated'
import type { Handlers } from './backend'
import { ago, correlation } from './clock'
import { changed } from './handle-status'

export const makeWebhook = (crowded: boolean): WebhookView => (crowded
  ? { origin: 'https://notifications-of-the-platform-team.internal.acme.example:8443', signed: true, changed: ago(86_400 * 3), last: { at: ago(70), problem: 'no connection: Connection refused (os error 111)' } }
  : { origin: null, signed: false, changed: null, last: null })

export const webhookHandlers: Handlers = {
  webhook_show: (world) => world.webhook,
  webhook_set: (world, { url, key, unsigned }) => {
    if (key !== undefined && !key.startsWith('whsec_')) throw new IpcError('invalid', 'A key is whsec_ and 24 to 64 bytes in Base64.', correlation(), 'key')
    world.webhook = { origin: new URL(url).origin, signed: !unsigned && (key !== undefined || world.webhook.signed), changed: ago(0), last: null }
    changed('status')
    return world.webhook
  },
  webhook_test: (world) => {
    if (world.webhook.origin?.includes('refuses')) {
      world.webhook.last = { at: ago(0), problem: 'it answered 500' }
      throw new IpcError('upstream', `${world.webhook.origin} did not take the notice: it answered 500`, correlation())
    }
    world.webhook.last = { at: ago(0), problem: null }
    return world.webhook
  },
  webhook_remove: (world) => {
    world.webhook = makeWebhook(false)
    changed('status')
    return world.webhook
  },
}

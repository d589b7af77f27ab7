import { IpcError } from '../failure'
import type { Setting, TemplateView, Transport } from '../generated'
import type { Handlers } from './backend'
import { correlation } from './clock'
import { policyHandlers } from './handle-policy'
import { tenantOf } from './handle-status'
import { PLACE, templateOf } from './templates'
import type { World } from './world'

function fill(world: World, name: string, settings: Record<string, string>): Transport {
  const template = world.templates.find((one) => one.name === name)
  if (!template) throw new IpcError('not_found', 'There is no such template; it may have been removed.', correlation())
  const put = (text: string) => text.replaceAll(PLACE, (_, place: string) => {
    if (!settings[place]) throw new IpcError('invalid', `Nothing is set for ${place}.`, correlation())
    return settings[place]
  })
  const each = (all: Record<string, Setting>) =>
    Object.fromEntries(Object.entries(all).map(([key, one]): [string, Setting] => [key, typeof one === 'string' ? put(one) : one]))
  const { transport } = template
  if (transport.kind === 'http') return { ...transport, url: put(transport.url), headers: each(transport.headers) }
  return { ...transport, args: transport.args.map(put), env: each(transport.env), ...(transport.cwd && { cwd: put(transport.cwd) }) }
}

/** The servers of every template as they are now. */
function counted(world: World): TemplateView[] {
  for (const template of world.templates) {
    template.servers = world.tenants.flatMap((tenant) => tenant.servers
      .filter((server) => tenant.origins.get(server.id)?.template === template.name)
      .map((server) => ({ tenant: tenant.view.id, tenant_name: tenant.view.name, server: server.id, server_name: server.name })))
  }
  return world.templates
}

export const templateHandlers: Handlers = {
  template_list: counted,
  template_set: (world, { name, transport }) => {
    const others = world.templates.filter((one) => one.name !== name)
    world.templates = [...others, templateOf(name, transport)].sort((a, b) => a.name.localeCompare(b.name))
    return counted(world)
  },
  template_remove: (world, { name }) => {
    world.templates = world.templates.filter((one) => one.name !== name)
    return counted(world)
  },
  template_fill: (world, { template, settings }) => fill(world, template, settings),
  server_create_from: (world, { tenant, name, template, settings, tools }) => {
    const transport = fill(world, template, settings)
    const create = policyHandlers.server_create
    if (!create) throw new Error('the mock makes servers')
    const detail = create(world, { tenant, name, transport, tools })
    tenantOf(world, tenant).origins.set(detail.server.id, { template, settings })
    return { ...detail, origin: { template, settings } }
  },
  server_settings_set: (world, { tenant, server, settings }) => {
    const { origins } = tenantOf(world, tenant)
    const origin = origins.get(server)
    const show = policyHandlers.server_detail
    if (!origin || !show) throw new IpcError('invalid', 'This server comes from no template.', correlation())
    const detail = show(world, { tenant, server })
    detail.server.transport = fill(world, origin.template, settings)
    origins.set(server, { ...origin, settings })
    return { ...detail, origin: { ...origin, settings } }
  },
}

import { IpcError } from '../failure'
import type { OperatorGroupView } from '../generated'
import type { Handlers } from './backend'
import { ago, correlation } from './clock'
import { enforce } from './handle-policy'
import { missing, tenantOf } from './handle-status'
import type { World } from './world'

function groupOf(world: World, name: string): OperatorGroupView {
  const found = world.groups.find((one) => one.name === name)
  if (!found) throw missing('operator group')
  return found
}

export const signingHandlers: Handlers = {
  operator_group_list: (world) => world.groups,
  operator_group_create: (world, { name }) => {
    if (!/^[a-z0-9][a-z0-9_-]*$/.test(name)) throw new IpcError('invalid', 'A name has lower-case letters, digits, `-` and `_`.', correlation(), 'name')
    if (world.groups.some((one) => one.name === name)) throw new IpcError('conflict', 'An operator group of this name exists already.', correlation(), 'name')
    const group = { name, members: [], tools: [], created: ago(0) }
    world.groups.push(group)
    return group
  },
  operator_group_remove: (world, { group }) => {
    world.groups = world.groups.filter((one) => one.name !== group)
    return null
  },
  operator_group_add: (world, { group, operator }) => {
    const [found, who] = [groupOf(world, group), world.operators.find((one) => one.id === operator)]
    if (!who) throw missing('operator')
    found.members.push({ id: who.id, name: who.name })
    return found
  },
  operator_group_drop: (world, { group, operator }) => {
    const found = groupOf(world, group)
    found.members = found.members.filter((one) => one.id !== operator)
    return found
  },
  tool_set_signing: (world, { tenant, tool, signing }) => {
    const found = tenantOf(world, tenant).tools.find((one) => one.id === tool)
    if (!found) throw missing('tool')
    found.signing = signing
    return enforce(world)
  },
  tool_set_effects: (world, { tenant, tool, effects }) => {
    const found = tenantOf(world, tenant).tools.find((one) => one.id === tool)
    if (!found) throw missing('tool')
    found.effects = effects
    return enforce(world)
  },
  agent_set_responsible: (world, { tenant, agent, operator }) => {
    const found = tenantOf(world, tenant).agents.find((one) => one.id === agent)
    if (!found) throw missing('agent')
    const who = world.operators.find((one) => one.id === operator)
    enforce(world)
    return Object.assign(found, { responsible: who ? { id: who.id, name: who.name } : null })
  },
}

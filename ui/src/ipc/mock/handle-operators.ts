import { IpcError } from '../failure'
import type { OperatorView } from '../generated'
import type { Handlers } from './backend'
import { ago, correlation } from './clock'
import { changed, missing } from './handle-status'
import { makeOperator, replaceKey } from './operators'
import type { World } from './world'

function of(world: World, wanted: string): OperatorView {
  const found = world.operators.find((one) => one.id === wanted)
  if (!found) throw missing('operator')
  return found
}

const own = (world: World, passphrase: string) => {
  if (passphrase !== world.passphrase) throw new IpcError('wrong_passphrase', 'This is not the passphrase; try again.', correlation())
  return of(world, world.status.operator?.id ?? '')
}

const keepAnOwner = (world: World, but: OperatorView) => {
  if (!world.operators.some((one) => one.role === 'owner' && one !== but)) throw new IpcError('conflict', 'This is the last owner; make another one first.', correlation())
}

export const operatorHandlers: Handlers = {
  operator_list: (world) => world.operators.toSorted((a, b) => a.name.localeCompare(b.name)),
  operator_create: (world, { name, role }) => {
    if (world.operators.some((one) => one.name === name)) throw new IpcError('conflict', `There is an operator of this name already.`, correlation(), 'name')
    const fresh = makeOperator(name, role, ago(0))
    world.operators.push(fresh)
    return fresh
  },
  operator_remove: (world, { operator }) => {
    const found = of(world, operator)
    keepAnOwner(world, found)
    world.operators = world.operators.filter((one) => one !== found)
    changed('registry')
    return null
  },
  operator_role_set: (world, { operator, role }) => {
    const found = of(world, operator)
    if (role !== 'owner') keepAnOwner(world, found)
    found.role = role
    return found
  },
  operator_passphrase_set: (world, { passphrase, next }) => {
    const found = own(world, passphrase)
    world.passphrase = next
    return found
  },
  operator_key_rotate: (world, { passphrase }) => {
    const found = own(world, passphrase)
    replaceKey(found, 'rotated', ago(0))
    return found
  },
  operator_recover: (world, { operator }) => {
    const found = of(world, operator)
    replaceKey(found, 'recovered', ago(0))
    return found
  },
}

/** Consoles of the mock on other machines. */
import { IpcError } from '../failure'
import type { ConsoleView, OperatorView } from '../generated'
import type { Handlers } from './backend'
import { ago, ahead, correlation, id } from './clock'
import { changed, missing } from './handle-status'

const make = (operator: OperatorView, name: string, more: Partial<ConsoleView> = {}): ConsoleView => ({
  id: id('con'), name, operator: operator.id, operator_name: operator.name, state: 'in_force', created: ago(86_400 * 12), expires: ahead(86_400 * 78), revoked: null, connected: [], unlocked: false, ...more,
})

export function makeConsoles(operators: OperatorView[], crowded: boolean): ConsoleView[] {
  const [first, second = first] = operators
  if (!first || !second) return []
  const few = [
    make(second, 'laptop', { connected: ['10.20.4.17:51922'], unlocked: true }),
    make(first, 'home office', { state: 'revoked', revoked: ago(86_400 * 2) }),
  ]
  if (!crowded) return few
  return [...few, make(first, 'the-workstation-in-the-operations-room-on-the-third-floor-next-to-the-window', { connected: ['[2001:db8:85a3::8a2e:370:7334]:51922', '10.20.4.18:40022'] }), make(second, 'old laptop', { state: 'expired', expires: ago(86_400) })]
}

export const consoleHandlers: Handlers = {
  console_list: (world) => world.consoles,
  console_enrol: (world, { operator, name, days, address }) => {
    const found = world.operators.find((one) => one.id === operator)
    if (!found) throw missing('operator')
    if (!address && !world.serving.consoles.listen) throw new IpcError('invalid', 'Consoles on other machines are let in nowhere yet; set where first, or say the address.', correlation(), 'address')
    const console = make(found, name, { created: ago(0), expires: ahead(86_400 * days) })
    world.consoles.unshift(console)
    changed('registry')
    const card = { installation: '6f0c9d5e', console: console.id, name, operator: found.name, address: address ?? world.serving.consoles.listen }
    return { console, file_name: `${console.id}.console.json`, file: `${JSON.stringify({ countersign_console: 1, card, sealed: 'AaBbCcDdEeFf'.repeat(40) }, null, 2)}\n`, code: 'K7QXM-2WDPR-9TBHN-4CVLA-JFZ36' }
  },
  console_revoke: (world, { console }) => {
    const found = world.consoles.find((one) => one.id === console)
    if (!found) throw missing('console')
    Object.assign(found, { state: 'revoked', revoked: ago(0), connected: [], unlocked: false })
    changed('registry')
    return null
  },
}

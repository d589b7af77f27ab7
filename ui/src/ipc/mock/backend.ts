/**
 * A backend inside the page: every screen runs and is tested in a plain browser with it. Only a
 * build in mode `mock` has it. `?mock=empty`, `typical`, `crowded`, `doubtful`, `locked`, `attached`,
 * `lost`, `join`, `aged`, `hoard`, `halted` or `first-run` in front of the `#` picks what it holds.
 */
import type { Answer, Args, Command } from '../call'
import { IpcError } from '../failure'
import type { ApprovalView } from '../generated'
import { arrive } from './approvals'
import { correlation } from './clock'
import { agentHandlers } from './handle-agents'
import { alertHandlers } from './handle-alerts'
import { consoleHandlers } from './consoles'
import { certificateHandlers } from './handle-certificates'
import { credentialHandlers } from './handle-credentials'
import { explainHandlers } from './handle-explain'
import { identityHandlers } from './handle-identity'
import { issuerHandlers } from './handle-issuer'
import { operatorHandlers } from './handle-operators'
import { policyHandlers } from './handle-policy'
import { recordHandlers } from './handle-records'
import { seriesHandlers } from './handle-series'
import { signingHandlers } from './handle-signing'
import { changed, statusHandlers } from './handle-status'
import { templateHandlers } from './handle-templates'
import { secretsHandlers } from './secrets'
import { mockSize } from './size'
import { webhookHandlers } from './webhook'
import { makeWorld, type Size, type World } from './world'

export type Handlers = { [C in Command]?: (world: World, args: Args<C>) => Answer<C> }

const handlers: Handlers = { ...statusHandlers, ...policyHandlers, ...agentHandlers, ...alertHandlers, ...identityHandlers, ...certificateHandlers, ...consoleHandlers, ...credentialHandlers, ...explainHandlers, ...issuerHandlers, ...operatorHandlers, ...recordHandlers, ...secretsHandlers, ...seriesHandlers, ...signingHandlers, ...templateHandlers, ...webhookHandlers }
const sizes: Size[] = ['first-run', 'join', 'lost', 'attached', 'locked', 'doubtful', 'empty', 'one', 'twenty', 'aged', 'hoard', 'halted', 'typical', 'crowded']
const asked = mockSize()
const world = makeWorld(sizes.find((size) => size === asked) ?? 'typical')
// A test has a call arrive while somebody looks at another.
window.addEventListener('countersign-mock-call', (event) => {
  arrive(world, (event as CustomEvent<Partial<ApprovalView> | null>).detail ?? {})
  changed('approvals')
})
const open: ReadonlySet<Command> = new Set(['status', 'unlock', 'first_run'])

/** Answers a command after the moment that a real one takes. */
export async function answer<C extends Command>(command: C, args: Args<C>): Promise<Answer<C>> {
  await new Promise((done) => setTimeout(done, 12))
  const handler = handlers[command] as ((world: World, args: Args<C>) => Answer<C>) | undefined
  if (!handler) throw new IpcError('internal', `The mock has no ${command}.`, correlation())
  if (!world.status.operator && !open.has(command)) throw new IpcError('locked', 'Unlock the console first.', correlation())
  return structuredClone(handler(world, args))
}

import type { AgentView, TaskId } from '@/ipc/generated'
import { linesOf } from '@/lib/lines'
import { networkOf, networkProblem } from '@/lib/networks'

/** What narrows a credential: only for some tasks, only from some networks. */
export type Limits = { tasks: TaskId[]; /** One a line. */ networks: string }

export const noLimits: Limits = { tasks: [], networks: '' }

export const limitProblem = (limits: Limits) => networkProblem(linesOf(limits.networks))

/** The limits as a command takes them: what does not narrow is left out. */
export function limitArgs({ tasks, networks }: Limits): { tasks?: TaskId[]; networks?: string[] } {
  const found = linesOf(networks).flatMap((line) => networkOf(line) ?? [])
  return { ...(tasks.length > 0 && { tasks }), ...(found.length > 0 && { networks: found }) }
}

/** The tasks that a credential with these limits can declare. */
export const tasksWithin = (agent: AgentView, { tasks }: Limits) => agent.tasks.filter((task) => tasks.length === 0 || tasks.includes(task.id))

const HOUR = 3_600

export const lifetimes = [
  { value: String(8 * HOUR), label: '8 hours' },
  { value: String(72 * HOUR), label: '3 days' },
  { value: String(14 * 24 * HOUR), label: '14 days' },
  { value: String(90 * 24 * HOUR), label: '90 days, the longest' },
]
/** Of a key: it has a secret, which may leak. */
export const usualLifetime = String(72 * HOUR)
/** Of a registration: there is no secret of ours in it. */
export const longestLifetime = String(90 * 24 * HOUR)

/** Of a certificate: it lives for days, and is renewed. */
export const certificateLifetimes = [
  { value: String(8 * HOUR), label: '8 hours' },
  { value: String(24 * HOUR), label: '24 hours' },
  { value: String(72 * HOUR), label: '3 days' },
  { value: String(7 * 24 * HOUR), label: '7 days, the longest' },
]
export const usualCertificateLifetime = String(24 * HOUR)

/** Of a client: its secret is sent to the gateway alone, and it gets tokens of minutes for it. */
export const clientLifetimes = [
  { value: String(24 * HOUR), label: '24 hours' },
  { value: String(7 * 24 * HOUR), label: '7 days' },
  { value: String(30 * 24 * HOUR), label: '30 days' },
  { value: String(90 * 24 * HOUR), label: '90 days, the longest' },
]
export const usualClientLifetime = String(30 * 24 * HOUR)

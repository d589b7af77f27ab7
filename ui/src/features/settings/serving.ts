import type { ServingSettings, ServingView } from '@/ipc/generated'
import { linesOf } from '@/lib/lines'

/** What the form holds until it is settings. */
export type Draft = { listen: string; tls: boolean; /** One a line. */ names: string; oldest: ServingSettings['oldest']; durability: ServingSettings['durability']; consoles?: string }

export const draftOf = ({ names, ...rest }: ServingSettings): Draft => ({ ...rest, names: names.join('\n') })
export const settingsOf = ({ listen, names, ...rest }: Draft): ServingSettings => ({ ...rest, listen: listen.trim(), names: linesOf(names) })

/** An address with a port, as the core takes it: `127.0.0.1:7411` or `[::1]:7411`. */
export function readAddress(text: string): { host: string; port: number } | undefined {
  const [, six, four, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|(\d{1,3}(?:\.\d{1,3}){3})):(\d{1,5})$/.exec(text) ?? []
  const host = six ?? four
  if (host === undefined || Number(digits) > 65_535) return undefined
  if (four !== undefined && !four.split('.').every((part) => Number(part) < 256 && String(Number(part)) === part)) return undefined
  return six !== undefined && !URL.canParse(`http://[${six}]/`) ? undefined : { host, port: Number(digits) }
}

export const isLoopback = (listen: string) => {
  const host = readAddress(listen)?.host
  return host !== undefined && (host.startsWith('127.') || (host.includes(':') && new URL(`http://[${host}]/`).hostname === '[::1]'))
}

const isEverywhere = (listen: string) => ['0.0.0.0', '::'].includes(readAddress(listen)?.host ?? '')

export type Problems = { listen?: string; names?: string }

/** What is wrong or missing; the backend has the last word. */
export function problemsOf(draft: Draft): Problems {
  const listen = draft.listen.trim()
  const wrong: Problems = {}
  if (!readAddress(listen)) wrong.listen = 'An address with a port: 127.0.0.1:7411 or [::1]:7411'
  else if (!draft.tls && !isLoopback(listen)) wrong.listen = 'Without TLS it listens on this machine alone: 127.0.0.1 or [::1]'
  if (!draft.tls) return wrong
  const names = linesOf(draft.names)
  const name = names.find((one) => !/^[a-z0-9:]([a-z0-9.:-]*[a-z0-9:])?$/.test(one))
  if (name !== undefined) wrong.names = `${name.slice(0, 60)} is neither a host name in lower case nor an address`
  else if (names.length === 0 && isEverywhere(listen)) wrong.names = 'At least one, by which other machines reach it'
  return wrong
}

export const firstProblem = (problems: Problems): string | undefined => problems.listen ?? problems.names

const portOf = (listen: string) => listen.slice(listen.lastIndexOf(':') + 1)

/** What a change does, and what agents must change for it: sentences. */
export function consequencesOf(view: Pick<ServingView, 'wanted' | 'state'>, next: ServingSettings): string[] {
  const { wanted: before } = view
  const same = before.listen === next.listen && before.tls === next.tls && before.oldest === next.oldest && before.names.join() === next.names.join()
  const told: string[] = []
  if (before.durability !== next.durability) {
    told.push(next.durability === 'disk'
      ? 'Every call is on the disk before it is answered: its record survives a power cut. That takes longer.'
      : 'The records of allowed calls survive the end of the gateway, but a power cut may take the last of them. Denials, countersigned calls and changes are on the disk as before.')
  }
  if (same) return told
  if (view.state === 'serving' || view.state === 'refusing') told.push('The gateway restarts in place: open connections and calls under way end, and agents connect anew.')
  if (before.tls !== next.tls) {
    told.push(next.tls
      ? 'Every agent’s endpoint begins with https:// from then on, and each has to trust the authority of the gateway’s certificate: hand it the CA file.'
      : 'Every agent’s endpoint begins with http:// again. Certificates of agents are good for nothing until TLS is back.')
  }
  const moved = portOf(before.listen) !== portOf(next.listen) || (before.names[0] ?? '') !== (next.names[0] ?? '') || (next.names.length === 0 && before.listen !== next.listen)
  if (moved) told.push('The address of every endpoint changes: agents need their configuration anew. Access tokens that name the old address are refused.')
  else if (before.listen !== next.listen) told.push('It listens on another address of this machine; the endpoints keep their names.')
  if (next.tls && before.tls && before.names.join() !== next.names.join()) told.push('It gets a new certificate for these names, of the same authority: agents need nothing.')
  if (next.tls && before.oldest !== next.oldest) told.push(next.oldest === '1.3' ? 'Agents that cannot speak TLS 1.3 are turned away.' : 'TLS 1.2 is spoken too: only for clients that cannot do better.')
  return told
}

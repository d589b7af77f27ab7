/** Networks in CIDR notation, as the core takes them. */

const BYTE = /^(?:0|[1-9]\d{0,2})$/

/** How many bits an address has; nothing when it is no address. */
function bitsOf(address: string): number | undefined {
  const parts = address.split('.')
  if (parts.length === 4 && parts.every((part) => BYTE.test(part) && Number(part) < 256)) return 32
  if (!address.includes(':') || /[^0-9a-fA-F:.]/.test(address)) return undefined
  return URL.canParse(`http://[${address}]/`) ? 128 : undefined
}

/** The same network with its prefix: an address alone is a network of one. */
export function networkOf(line: string): string | undefined {
  const [address = '', prefix, more] = line.split('/')
  const bits = bitsOf(address)
  if (bits === undefined || more !== undefined) return undefined
  if (prefix === undefined) return `${address}/${bits}`
  return /^(?:0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= bits ? line : undefined
}

/** What is wrong with a list of networks; nothing when it is right. */
export function networkProblem(lines: string[]): string | undefined {
  const wrong = lines.find((line) => networkOf(line) === undefined)
  return wrong === undefined ? undefined : `${wrong.slice(0, 60)} is no network: write 10.0.0.0/8 or 2001:db8::/32`
}

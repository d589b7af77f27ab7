import { lines, unquote, type Token } from './json'

/** The integers that every JSON reader holds exactly: up to 2^53 - 1. */
const MOST_SAFE = Number.MAX_SAFE_INTEGER
const HALF = /\p{Cs}/u

export type Canonical = { text: string } | { problem: string }

/**
 * Arguments in the form that is hashed, signed and sent (RFC 8785), by the rules of `json` of
 * cs-model: what two readers could understand in two ways is refused. What is shown to whoever
 * signs is this form and no other.
 */
export function canonicalArguments(source: string): Canonical {
  const shown = lines(source)
  if (!shown) return { problem: 'This is not JSON' }
  const keys = shown.filter(({ tokens }) => tokens[0]?.kind === 'key').map(({ path }) => path)
  if (new Set(keys).size < keys.length) return { problem: 'A key stands twice in one object' }
  const tokens = shown.flatMap((line) => line.tokens)
  if (tokens.some(isHalf)) return { problem: 'A text has half of a character in it' }
  if (!tokens.every(({ kind, text }) => kind !== 'number' || isExact(text))) return { problem: 'A number is too large or too precise to mean the same to every reader' }
  const value: unknown = JSON.parse(source)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problem: 'Arguments are a JSON object' }
  return { text: written(value) }
}

const isHalf = ({ kind, text }: Token) => (kind === 'key' || kind === 'string') && HALF.test(unquote(text))

// RFC 8785 writes texts and numbers as `JSON.stringify` does, and orders keys as `sort` does.
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).map(([key, member]) => [key, `${JSON.stringify(key)}:${written(member)}`] as const)
  return `{${members.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, member]) => member).join(',')}}`
}

function isExact(token: string): boolean {
  const value = Number(token)
  if (!Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) > MOST_SAFE)) return false
  return decimal(token) === decimal(String(value))
}

/** A number by its sign, the digits that count, and the power of ten of the last of them. */
function decimal(token: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(token) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  return kept === '' ? '0' : `${sign}${kept}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - kept.length)}`
}

// What only a private or a symmetric key has (RFC 7518, RFC 8037).
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is wrong with a pasted JWK Set of public keys; nothing when it may be tried. A private key is never taken. */
export function jwksProblem(text: string): string | undefined {
  if (text.trim() === '') return 'Nothing is pasted yet'
  if (/PRIVATE KEY/.test(text)) return 'This is a private key: it stays where it is'
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    return 'This is not JSON'
  }
  const keys = isObject(read) ? read.keys : undefined
  if (isObject(read) && 'kty' in read) return 'This is one key: put it into {"keys":[…]}'
  if (!Array.isArray(keys) || !keys.every(isObject)) return 'A JWK Set has its keys in {"keys":[…]}'
  if (keys.length === 0) return 'There is no key in it'
  return keys.some((key) => PRIVATE.some((member) => member in key)) ? 'There is a private key in it: only the public part comes here' : undefined
}

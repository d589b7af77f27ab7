const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g

/** What the blocks of a PEM text are, in order. */
const blocks = (text: string): string[] => [...text.matchAll(BLOCK)].map(([, kind]) => kind ?? '')

const KINDS = { csr: ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'], certificate: ['CERTIFICATE'], crl: ['X509 CRL'] } as const
export type PemKind = keyof typeof KINDS

const noun: Record<PemKind, string> = { csr: 'a signing request', certificate: 'a certificate', crl: 'a revocation list' }

/** What is wrong with a pasted PEM text; nothing when it may be tried. A private key is never taken. */
export function pemProblem(text: string, kind: PemKind): string | undefined {
  if (text.trim() === '') return 'Nothing is pasted yet'
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) return 'There is a private key in it: take it out, it stays where it is'
  const found = blocks(text)
  const wanted: readonly string[] = KINDS[kind]
  if (found.length === 0) return `This is not PEM: ${noun[kind]} begins with -----BEGIN ${wanted[0]}-----`
  return found.every((one) => wanted.includes(one)) ? undefined : `This is not ${noun[kind]}`
}

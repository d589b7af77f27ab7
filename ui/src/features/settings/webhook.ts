const isHere = (host: string) => host === 'localhost' || host.endsWith('.localhost') || host.startsWith('127.') || host === '[::1]'

/** What is wrong with the address of a web server; the backend has the last word. */
export function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'An address that begins with https://'
  const { protocol, hostname } = new URL(text)
  if (protocol === 'https:') return undefined
  if (protocol !== 'http:') return 'An address that begins with https://'
  return isHere(hostname) ? undefined : 'Without TLS only this machine is told: https://'
}

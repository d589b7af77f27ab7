/** Addresses: every value is plain text, and stays what it was written as. */

export function parseSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search))
}

export function stringifySearch(search: Record<string, unknown>): string {
  const entries = Object.entries(search).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const text = new URLSearchParams(entries).toString()
  return text ? `?${text}` : ''
}

/** The same place behind the `#`, or nothing when it stands there already. */
export function intoHash(at: Pick<Location, 'pathname' | 'search' | 'hash'>): string | null {
  // What stands in front of the `#` is no part of an address: the router would take it for one.
  if (at.hash.startsWith('#/')) return at.search === '' ? null : `/${at.hash}`
  const path = at.pathname.replace(/\/?index\.html$/, '/')
  return path === '/' ? (at.search === '' ? null : '/') : `/#${path}${at.search}`
}

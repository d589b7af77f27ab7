/** What is wrong with a list of OAuth scopes (RFC 6749, section 3.3); nothing when it is right. */
export function scopeProblem(scopes: string[]): string | undefined {
  const wrong = scopes.find((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
  return wrong === undefined ? undefined : 'A scope has no spaces, quotes, backslashes or letters beyond ASCII'
}

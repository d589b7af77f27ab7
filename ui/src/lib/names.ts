/** What is wrong with a name of a tenant, agent, role, task or server; nothing when it is right. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'A name is missing'
  if (name.length > 63) return 'At most 63 characters'
  if (!/^[a-z0-9_-]+$/.test(name) || name.includes('__')) return 'Lower-case letters, digits, - and single _ only'
  return /^[a-z0-9].*$/.test(name) && /[a-z0-9]$/.test(name) ? undefined : 'Begins and ends with a letter or a digit'
}

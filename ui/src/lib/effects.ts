import type { Effects, ToolView } from '@/ipc/generated'

/** What a tool is marked as able to do, in words; nothing where it is marked with neither. */
export function ableTo({ sends_out, destroys }: Effects): string | undefined {
  if (sends_out) return destroys ? 'can send data out, and can destroy' : 'can send data out'
  return destroys ? 'can destroy' : undefined
}

/** The marks that a tool does not have, and that what its server says of it suggests. */
export function suggested({ claims, effects }: Pick<ToolView, 'claims' | 'effects'>): string[] {
  return [
    ...(claims.open_world && !effects.sends_out ? ['can send data out'] : []),
    ...(claims.destructive && !effects.destroys ? ['can destroy'] : []),
  ]
}

import type { IntrospectionUse, ProviderPreset, ProviderSettings, SenderConstraint, TokenAlgorithm, TokenTypes } from '@/ipc/generated'
import { linesOf } from '@/lib/lines'
import { scopeProblem } from '@/lib/scopes'

/** What the form of a provider holds until it is settings. */
export type Draft = {
  preset: ProviderPreset
  issuer: string
  jwksUri: string
  privateNetwork: boolean
  algorithms: TokenAlgorithm[]
  types: TokenTypes
  /** One a line; none means the endpoint's own address. */
  audiences: string
  severalAudiences: boolean
  /** One a line. */
  scopes: string
  sender: SenderConstraint
  longestSecs: number
  longestTokenSecs: number
  staleSecs: number
  agentClaim: string
  rolesClaim: string
  taskClaim: string
  tenantClaim: string
  tenantValue: string
  introspects: boolean
  endpoint: string
  clientId: string
  secret: string
  when: IntrospectionUse
  cacheSecs: number
}

/** The settings of a provider that publishes no metadata: the issuer and the defaults. */
export const bareSettings = (issuer: string, preset: ProviderPreset, privateNetwork: boolean): ProviderSettings => ({
  preset, issuer, jwks_uri: '', algorithms: ['EdDSA', 'ES256', 'PS256', 'RS256'], audiences: [], several_audiences: false, types: 'at+jwt',
  scopes: ['mcp:connect'], claims: { agent: 'sub' }, longest_secs: 3_600, longest_token_secs: 900, stale_secs: 600, sender: 'none', private_network: privateNetwork,
})

export function draftOf(settings: ProviderSettings): Draft {
  const { claims, introspection } = settings
  return {
    preset: settings.preset, issuer: settings.issuer, jwksUri: settings.jwks_uri, privateNetwork: settings.private_network,
    algorithms: settings.algorithms, types: settings.types, audiences: settings.audiences.join('\n'), severalAudiences: settings.several_audiences,
    scopes: settings.scopes.join('\n'), sender: settings.sender,
    longestSecs: settings.longest_secs, longestTokenSecs: settings.longest_token_secs, staleSecs: settings.stale_secs,
    agentClaim: claims.agent, rolesClaim: claims.roles ?? '', taskClaim: claims.task ?? '', tenantClaim: claims.tenant?.claim ?? '', tenantValue: claims.tenant?.value ?? '',
    introspects: introspection !== undefined, endpoint: introspection?.endpoint ?? '', clientId: introspection?.client_id ?? '', secret: introspection?.secret ?? '',
    when: introspection?.when ?? 'token_tools', cacheSecs: introspection?.cache_secs ?? 0,
  }
}

export function settingsOf(draft: Draft): ProviderSettings {
  const [roles, task, claim] = [draft.rolesClaim.trim(), draft.taskClaim.trim(), draft.tenantClaim.trim()]
  return {
    // The issuer is compared byte by byte: a slash more or less is another issuer.
    preset: draft.preset, issuer: draft.issuer.trim(), jwks_uri: draft.jwksUri.trim(), private_network: draft.privateNetwork,
    algorithms: draft.algorithms, types: draft.types, audiences: linesOf(draft.audiences), several_audiences: draft.severalAudiences,
    scopes: linesOf(draft.scopes), sender: draft.sender,
    longest_secs: draft.longestSecs, longest_token_secs: draft.longestTokenSecs, stale_secs: draft.staleSecs,
    claims: { agent: draft.agentClaim.trim(), ...(roles && { roles }), ...(task && { task }), ...(claim && { tenant: { claim, value: draft.tenantValue } }) },
    ...(draft.introspects && {
      introspection: { endpoint: draft.endpoint.trim(), client_id: draft.clientId.trim(), secret: draft.secret, when: draft.when, cache_secs: draft.cacheSecs },
    }),
  }
}

export type Problems = Partial<Record<keyof Draft, string>>

/** What is wrong with the address of a provider; nothing when it may be tried. */
export function addressProblem(text: string, privateNetwork: boolean): string | undefined {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null
  if (text.trim() === '') return 'The address is missing'
  if (!url) return 'This is no URL'
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && privateNetwork)) return 'It begins with https://'
  return url.username || url.password || url.hash ? 'No user, password or # in it' : undefined
}

/** What is missing or wrong, field by field. The backend has the last word. */
export function problemsOf(draft: Draft): Problems {
  const wrong: Problems = {}
  const note = (field: keyof Draft, problem: string | undefined) => {
    if (problem !== undefined) wrong[field] = problem
  }
  note('issuer', addressProblem(draft.issuer, draft.privateNetwork))
  note('jwksUri', addressProblem(draft.jwksUri, draft.privateNetwork))
  note('algorithms', draft.algorithms.length === 0 ? 'At least one algorithm' : undefined)
  note('scopes', scopeProblem(linesOf(draft.scopes)))
  note('longestSecs', draft.longestSecs > 0 ? undefined : 'Longer than nothing')
  note('longestTokenSecs', draft.longestTokenSecs > draft.longestSecs ? 'No longer than for other tools' : draft.longestTokenSecs > 0 ? undefined : 'Longer than nothing')
  note('agentClaim', draft.agentClaim.trim() === '' ? 'Without it nobody is recognised' : undefined)
  note('tenantValue', (draft.tenantClaim.trim() === '') === (draft.tenantValue === '') ? undefined : 'The claim and its value go together')
  if (draft.introspects) {
    note('endpoint', addressProblem(draft.endpoint, draft.privateNetwork))
    note('clientId', draft.clientId.trim() === '' ? 'The client id is missing' : undefined)
    note('secret', draft.secret === '' ? 'Choose the secret that goes with it' : undefined)
  }
  return wrong
}

/** The first thing that is wrong, for a button that cannot be used. */
export const firstProblem = (problems: Problems): string | undefined => {
  const [field, problem] = Object.entries(problems)[0] ?? []
  return field === undefined ? undefined : `${fieldWord[field as keyof Draft] ?? field}: ${problem}`
}

const fieldWord: Partial<Record<keyof Draft, string>> = {
  issuer: 'Issuer', jwksUri: 'Address of its keys', algorithms: 'Signed with', scopes: 'Scopes', longestSecs: 'Oldest token', longestTokenSecs: 'Oldest token for countersigned tools',
  agentClaim: 'Claim for the agent', tenantValue: 'Tenant', endpoint: 'Introspection endpoint', clientId: 'Client id', secret: 'Secret',
}

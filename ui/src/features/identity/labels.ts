/** What the parts of identity are called. Records, so that a new word does not compile until it is here. */
import type { Tone } from '@/components/Mark'
import type {
  IntrospectionUse, ProviderPreset, ProviderStanding, ProviderView, Revoked, SenderConstraint, TokenAlgorithm, TokenTypes,
} from '@/ipc/generated'
import { exactDuration, relative } from '@/lib/format'

export const presetWord: Record<ProviderPreset, string> = {
  okta: 'Okta', entra: 'Microsoft Entra ID', auth0: 'Auth0', keycloak: 'Keycloak', generic: 'Any OIDC or OAuth server',
}

/** What an issuer of each product looks like. */
export const issuerExample: Record<ProviderPreset, string> = {
  okta: 'https://example.okta.com/oauth2/default',
  entra: 'https://login.microsoftonline.com/8f1c…/v2.0',
  auth0: 'https://example.eu.auth0.com/',
  keycloak: 'https://sso.example.com/realms/agents',
  generic: 'https://issuer.example.com',
}

export const algorithmGroups: { title: string; algorithms: TokenAlgorithm[] }[] = [
  { title: 'Elliptic curves', algorithms: ['EdDSA', 'ES256', 'ES384'] },
  { title: 'RSA-PSS', algorithms: ['PS256', 'PS384', 'PS512'] },
  { title: 'RSA, PKCS #1 v1.5', algorithms: ['RS256', 'RS384', 'RS512'] },
]

export const typesWord: Record<TokenTypes, string> = { 'at+jwt': 'at+jwt only', 'at+jwt_or_jwt': 'at+jwt, JWT or none' }

export const senderWord: Record<SenderConstraint, string> = {
  none: 'Nothing', certificate: 'The client’s certificate (RFC 8705)', dpop: 'A key of the client (DPoP, RFC 9449)',
}

export const introspectionWord: Record<IntrospectionUse, string> = {
  token_tools: 'Calls that need a countersignature', always: 'Every request',
}

export const standingWord: Record<ProviderStanding, string> = { fresh: 'Fresh', cached: 'Cached', refusing: 'Refusing', unused: 'Unused' }
export const standingTone: Record<ProviderStanding, Tone> = { fresh: 'good', cached: 'care', refusing: 'bad', unused: 'plain' }

/** How a provider stands, with the age of its keys where that matters. */
export function standingText({ status }: Pick<ProviderView, 'status'>, now: number): string {
  const word = standingWord[status.standing]
  if (status.standing !== 'cached' || status.fetched === null) return word
  return `${word}, keys from ${relative(status.fetched, now)}`
}

/** What the standing of a provider means for its agents. */
export function standingMeaning({ settings, status, enabled }: Pick<ProviderView, 'settings' | 'status' | 'enabled'>): string {
  if (!enabled) return 'Its tokens are refused until it is switched on.'
  const limit = exactDuration(settings.stale_secs)
  switch (status.standing) {
    case 'fresh': return 'Its keys are known and its tokens are checked against them.'
    case 'cached': return `It cannot be reached. Tokens are checked against its last known keys until these are ${limit} old; then all of them are refused.`
    case 'refusing': return status.fetched === null
      ? 'It could never be reached: there are no keys to check its tokens against, so all of them are refused.'
      : `It cannot be reached, and its last known keys are older than the ${limit} that they may be used. All of its tokens are refused until it answers.`
    case 'unused': return 'No token of it was presented yet. Its keys are fetched with the first one.'
  }
}

export const methodWord: Record<string, string> = {
  api_key: 'Signed API key', token: 'Access token', certificate: 'Client certificate', client: 'Client of the built-in issuer', none: 'No credential',
}

export const revokedWord: Record<Revoked['kind'], string> = { certificate: 'Certificate', token: 'Token', key: 'Issuer key', subject: 'Subject', issuer: 'Issuer' }

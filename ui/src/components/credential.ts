/** What credentials are called, and revoking one. */
import { useQueryClient } from '@tanstack/react-query'
import { createElement, Fragment } from 'react'
import { call } from '@/ipc/call'
import type { AgentView, ClientMethodView, CredentialKind, CredentialState, CredentialView } from '@/ipc/generated'
import { plural } from '@/lib/format'
import { confirm } from './confirm'
import type { Tone } from './Mark'
import { tellDone } from './notices'
import { useTenant } from './tenant'

export const stateWord: Record<CredentialState, string> = { active: 'Active', expired: 'Expired', revoked: 'Revoked', suspended: 'Suspended' }
export const stateTone: Record<CredentialState, Tone> = { active: 'good', expired: 'plain', revoked: 'plain', suspended: 'care' }

export const kindWord: Record<CredentialKind, string> = { api_key: 'API key', certificate: 'Certificate', client: 'Client of the built-in issuer', external: 'External identity' }
const kindNoun: Record<CredentialKind, string> = { api_key: 'key', certificate: 'certificate', client: 'client', external: 'external identity' }

export const clientMethodWord: Record<ClientMethodView, string> = { client_secret_basic: 'a secret', private_key_jwt: 'a signed assertion', tls_client_auth: 'its certificate' }

/** Whether it may be used now, or again. */
export const isUsable = ({ state }: CredentialView) => state === 'active' || state === 'suspended'

/** Asks before a credential is revoked; the question says who is cut off. */
export function useRevoke(): (agent: AgentView, credential: CredentialView) => void {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  return (agent, credential) => {
    // A person looks for a certificate by its serial number.
    const named = credential.proof.kind === 'certificate' ? credential.proof.serial : credential.key_id
    confirm({
      title: `Revoke this ${kindNoun[credential.kind]} of ${agent.name}?`,
      body: createElement(Fragment, null,
        `${kindWord[credential.kind]} `, createElement('code', null, named),
        ` stops working with the next request and cannot come back. Cut off: ${agent.name}, with ${plural(agent.live_sessions, 'live session')}.`),
      action: `Revoke the ${kindNoun[credential.kind]}`,
      run: async () => {
        await call('credential_revoke', { tenant: tenant.id, credential: credential.id })
        tellDone(`${kindWord[credential.kind]} ${named} is revoked`)
        await queryClient.invalidateQueries()
      },
    })
  }
}

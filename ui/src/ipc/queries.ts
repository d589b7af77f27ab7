/**
 * What the screens ask for, each with its key. The first part of a key is the topic whose change
 * makes the answer stale.
 */
import { infiniteQueryOptions, keepPreviousData, queryOptions, type QueryClient } from '@tanstack/react-query'
import { call } from './call'
import type {
  AgentId, AlertId, ApprovalId, ApprovalState, AuditFilter, Change, Commands, CredentialFilter, CredentialId, CredentialOrder, MatrixFormat, RoleId, ServerId, StatsBy, TenantId, ToolId,
} from './generated'

export const status = () =>
  queryOptions({ queryKey: ['status'], queryFn: () => call('status'), refetchInterval: 15_000 })

/** Changes with the status. */
export const servingShow = () => queryOptions({ queryKey: ['status', 'serving'], queryFn: () => call('serving_show') })

export const overview = (tenant: TenantId) =>
  queryOptions({ queryKey: ['overview', tenant], queryFn: () => call('overview', { tenant }), refetchInterval: 30_000 })

export const operatorList = () => queryOptions({ queryKey: ['registry', 'operators'], queryFn: () => call('operator_list') })

export const consoleList = () =>
  queryOptions({ queryKey: ['registry', 'consoles'], queryFn: () => call('console_list'), refetchInterval: 15_000 })

/** Changes with the status. */
export const secretsShow = (at: { mount?: string; path?: string } = {}) => queryOptions({ queryKey: ['status', 'secrets', at], queryFn: () => call('secrets_show', at) })

/** Changes with the status. */
export const webhookShow = () => queryOptions({ queryKey: ['status', 'webhook'], queryFn: () => call('webhook_show') })

export const tenantList = () =>
  queryOptions({ queryKey: ['registry', 'tenants'], queryFn: () => call('tenant_list') })

export const operatorGroupList = () =>
  queryOptions({ queryKey: ['registry', 'operator-groups'], queryFn: () => call('operator_group_list') })

export const matrix = (tenant: TenantId) =>
  queryOptions({ queryKey: ['policy', 'matrix', tenant], queryFn: () => call('matrix', { tenant }) })

export const matrixCell = (tenant: TenantId, role: RoleId, tool: ToolId) =>
  queryOptions({
    queryKey: ['policy', 'cell', tenant, role, tool],
    queryFn: () => call('matrix_cell', { tenant, role, tool }),
  })

export const taskList = (tenant: TenantId) =>
  queryOptions({ queryKey: ['registry', 'tasks', tenant], queryFn: () => call('task_list', { tenant }) })

export const agentList = (tenant: TenantId) =>
  queryOptions({ queryKey: ['registry', 'agents', tenant], queryFn: () => call('agent_list', { tenant }) })

const KEYS = 100

/** A tenant's credentials, page by page; asked again now and then, for their stages come with time. */
export const credentialPages = (tenant: TenantId, filter: CredentialFilter, order: CredentialOrder, reversed: boolean) =>
  infiniteQueryOptions({
    queryKey: ['registry', 'credentials', tenant, filter, order, reversed],
    queryFn: ({ pageParam }) => call('credential_page', { tenant, filter, order, reversed, offset: pageParam, limit: KEYS }),
    initialPageParam: 0,
    getNextPageParam: (page, all) => {
      const loaded = all.reduce((sum, one) => sum + one.rows.length, 0)
      return page.rows.length > 0 && loaded < page.total ? loaded : null
    },
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  })

export const credentialRow = (tenant: TenantId, credential: CredentialId) =>
  queryOptions({
    queryKey: ['registry', 'credential', tenant, credential],
    queryFn: async () => (await call('credential_page', { tenant, filter: { credential }, order: 'next', limit: 1 })).rows[0] ?? null,
  })

export const credentialCalendar = (tenant: TenantId) =>
  queryOptions({ queryKey: ['registry', 'credential-calendar', tenant], queryFn: () => call('credential_calendar', { tenant }), refetchInterval: 60_000 })

export const credentialPosture = (tenant: TenantId) =>
  queryOptions({ queryKey: ['registry', 'credential-posture', tenant], queryFn: () => call('credential_posture', { tenant }), refetchInterval: 60_000 })

export const lifecycleShow = (tenant: TenantId) =>
  queryOptions({ queryKey: ['registry', 'lifecycle', tenant], queryFn: () => call('lifecycle_show', { tenant }) })

/** Changes with the status. */
export const housekeepingShow = () =>
  queryOptions({ queryKey: ['status', 'housekeeping'], queryFn: () => call('housekeeping_show'), refetchInterval: 30_000 })

/** Whose credentials are meant: one, all of an agent, or all of the tenant where neither is said. */
export type Meant = { agent?: AgentId; credential?: CredentialId }

/** What is announced has to be how it is: asked anew each time. */
export const revokePreview = (tenant: TenantId, meant: Meant) =>
  queryOptions({ queryKey: ['registry', 'revoke-preview', tenant, meant], queryFn: () => call('revoke_preview', { tenant, ...meant }), staleTime: 0, refetchInterval: 10_000 })

export const rotatePreview = (tenant: TenantId, meant: Meant) =>
  queryOptions({ queryKey: ['registry', 'rotate-preview', tenant, meant], queryFn: () => call('rotate_preview', { tenant, ...meant }), staleTime: 0, refetchInterval: 10_000 })

const LATELY = 12

/** The last that was done about credentials. */
export const credentialEvents = (tenant: TenantId, kinds: string[]) =>
  queryOptions({ queryKey: ['audit', 'credentials', tenant, kinds], queryFn: () => call('audit_page', { filter: { tenant, kinds }, limit: LATELY }) })

export const providerList = (tenant: TenantId) =>
  queryOptions({ queryKey: ['registry', 'providers', tenant], queryFn: () => call('provider_list', { tenant }), refetchInterval: 15_000 })

export const revocationList = (tenant: TenantId) =>
  queryOptions({ queryKey: ['registry', 'revocations', tenant], queryFn: () => call('revocation_list', { tenant }) })

export const issuerShow = (tenant: TenantId) =>
  queryOptions({ queryKey: ['registry', 'issuer', tenant], queryFn: () => call('issuer_show', { tenant }), refetchInterval: 30_000 })

export const authorityShow = (tenant: TenantId) =>
  queryOptions({ queryKey: ['registry', 'authority', tenant], queryFn: () => call('authority_show', { tenant }) })

/** From the audit log, and stale with it. */
export const authnOverview = (tenant: TenantId) =>
  queryOptions({ queryKey: ['audit', 'authn', tenant], queryFn: () => call('authn_overview', { tenant }) })

export const templateList = () => queryOptions({ queryKey: ['registry', 'templates'], queryFn: () => call('template_list') })

/** What a template comes to with these settings. */
export const templateFill = (template: string, settings: Record<string, string>) =>
  queryOptions({ queryKey: ['registry', 'templates', template, settings], queryFn: () => call('template_fill', { template, settings }), placeholderData: (before) => before })

export const referenceMatrix = (tenant: TenantId) =>
  queryOptions({ queryKey: ['policy', 'reference', tenant], queryFn: () => call('reference_matrix', { tenant }) })

export type Explained = Omit<Commands['policy_explain']['args'], 'tenant'>

/** Depends on all there is, and on what happens: it is asked anew all the time. */
export const policyExplain = (tenant: TenantId, asked: Explained) =>
  queryOptions({ queryKey: ['policy', 'explain', tenant, asked], queryFn: () => call('policy_explain', { tenant, ...asked }), refetchInterval: 10_000 })

/** Written down anew each time that it is asked for. */
export const matrixExport = (tenant: TenantId, format: MatrixFormat) =>
  queryOptions({ queryKey: ['policy', 'export', tenant, format], queryFn: () => call('matrix_export', { tenant, format }), staleTime: 0 })

export const serverList = (tenant: TenantId) =>
  queryOptions({ queryKey: ['servers', 'list', tenant], queryFn: () => call('server_list', { tenant }) })

export const serverDetail = (tenant: TenantId, server: ServerId) =>
  queryOptions({
    queryKey: ['servers', 'detail', tenant, server],
    queryFn: () => call('server_detail', { tenant, server }),
  })

export const tenantSecrets = (tenant: TenantId) =>
  queryOptions({
    queryKey: ['registry', 'secrets', tenant],
    queryFn: () => call('tenant_secret_list', { tenant }),
  })

export const approvalList = (tenant?: TenantId, states?: ApprovalState[]) =>
  queryOptions({
    queryKey: ['approvals', 'list', tenant, states],
    queryFn: () => call('approval_list', { ...(tenant && { tenant }), ...(states && { states }) }),
    refetchInterval: 15_000,
  })

export const approvalShow = (tenant: TenantId, approval: ApprovalId) =>
  queryOptions({
    queryKey: ['approvals', 'show', tenant, approval],
    queryFn: () => call('approval_show', { tenant, approval }),
  })

export const approvalStats = (tenant: TenantId | undefined, by: StatsBy, days: number) =>
  queryOptions({
    queryKey: ['approvals', 'stats', tenant, by, days],
    queryFn: () => call('approval_stats', { by, days, ...(tenant && { tenant }) }),
    placeholderData: keepPreviousData,
  })

export const seriesList = (tenant?: TenantId) =>
  queryOptions({
    queryKey: ['approvals', 'series', tenant],
    queryFn: () => call('series_list', tenant ? { tenant } : {}),
    refetchInterval: 15_000,
  })

export const approvalWeek = (tenant?: TenantId) =>
  queryOptions({
    queryKey: ['approvals', 'week', tenant],
    queryFn: () => call('approval_week', tenant ? { tenant } : {}),
  })

export const alertList = (tenant: TenantId, openOnly: boolean) =>
  queryOptions({
    queryKey: ['alerts', 'list', tenant, openOnly],
    queryFn: () => call('alert_list', { tenant, ...(openOnly && { state: 'open' as const }) }),
    refetchInterval: 15_000,
  })

export const alertShow = (alert: AlertId) =>
  queryOptions({ queryKey: ['alerts', 'show', alert], queryFn: () => call('alert_show', { alert }) })

export const alertRules = (tenant: TenantId) =>
  queryOptions({ queryKey: ['alerts', 'rules', tenant], queryFn: () => call('alert_rules', { tenant }) })

/** From the sessions, and stale with every alert. */
export const alertMetric = (tenant: TenantId, days: number) =>
  queryOptions({ queryKey: ['alerts', 'metric', tenant, days], queryFn: () => call('alert_metric', { tenant, days }) })

export const sessionList = (tenant: TenantId, liveOnly: boolean) =>
  queryOptions({
    queryKey: ['sessions', tenant, liveOnly],
    queryFn: () => call('session_list', { tenant, live_only: liveOnly }),
    refetchInterval: 15_000,
  })

const PAGE = 200

export const auditPages = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ['audit', 'pages', filter],
    queryFn: ({ pageParam }) =>
      call('audit_page', { filter, limit: PAGE, ...(pageParam !== null && { before: pageParam }) }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.older,
  })

export const auditShow = (seq: number) =>
  queryOptions({ queryKey: ['audit', 'show', seq], queryFn: () => call('audit_show', { seq }) })

// What a change of each topic makes stale. The status strip and the overview sum up all of them.
const touches: Record<Change['topic'], string[]> = {
  status: ['status', 'overview'],
  policy: ['policy', 'registry', 'status'],
  alerts: ['alerts', 'status', 'overview'],
  approvals: ['approvals', 'status', 'overview'],
  sessions: ['sessions', 'overview', 'registry'],
  audit: ['audit', 'overview'],
  registry: ['registry', 'policy', 'servers', 'overview', 'status'],
  servers: ['servers', 'policy', 'overview'],
}

/** Asks again for everything that a change made stale. */
export function refresh(client: QueryClient, change: Change): void {
  for (const key of touches[change.topic] ?? []) void client.invalidateQueries({ queryKey: [key] })
}

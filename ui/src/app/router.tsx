import {
  createHashHistory, createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect,
} from '@tanstack/react-router'
import { parseSearch, stringifySearch } from './address'
import { Frame } from './Frame'
import { HomePage, InboxPage, NotFound, TenantFrame } from './places'

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound })

// The approval window has a frame of its own: it can decide and nothing else.
const decide = createRoute({
  getParentRoute: () => root,
  path: '/decide',
  component: lazyRouteComponent(() => import('@/features/approvals/DecideWindow'), 'DecideWindow'),
})

const frame = createRoute({ getParentRoute: () => root, id: 'frame', component: Frame })
const home = createRoute({ getParentRoute: () => frame, path: '/', component: HomePage })
const inbox = createRoute({ getParentRoute: () => frame, path: '/approvals', component: InboxPage })
// A dead link still leads on: it is shown where everything else is, with the way to the other pages.
const nowhere = createRoute({ getParentRoute: () => frame, path: '$', component: NotFound })
const tenants = createRoute({
  getParentRoute: () => frame,
  path: '/tenants',
  component: lazyRouteComponent(() => import('@/features/tenants/TenantsPage'), 'TenantsPage'),
})
const operators = createRoute({
  getParentRoute: () => frame,
  path: '/operators',
  component: lazyRouteComponent(() => import('@/features/operators/OperatorsPage'), 'OperatorsPage'),
})
const settings = createRoute({
  getParentRoute: () => frame,
  path: '/settings',
  component: lazyRouteComponent(() => import('@/features/settings/SettingsPage'), 'SettingsPage'),
})

const tenant = createRoute({ getParentRoute: () => frame, path: '/t/$tenant', component: TenantFrame })
const tenantIndex = createRoute({
  getParentRoute: () => tenant,
  path: '/',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/t/$tenant/overview', params })
  },
})
const overview = createRoute({
  getParentRoute: () => tenant,
  path: 'overview',
  component: lazyRouteComponent(() => import('@/features/overview/OverviewPage'), 'OverviewPage'),
})
const approvals = createRoute({
  getParentRoute: () => tenant,
  path: 'approvals',
  component: lazyRouteComponent(() => import('@/features/approvals/ApprovalsPage'), 'ApprovalsPage'),
})
const alerts = createRoute({
  getParentRoute: () => tenant,
  path: 'alerts',
  component: lazyRouteComponent(() => import('@/features/alerts/AlertsPage'), 'AlertsPage'),
})
const matrix = createRoute({
  getParentRoute: () => tenant,
  path: 'matrix',
  component: lazyRouteComponent(() => import('@/features/matrix/MatrixPage'), 'MatrixPage'),
})
const reference = createRoute({
  getParentRoute: () => tenant,
  path: 'reference',
  component: lazyRouteComponent(() => import('@/features/matrix/ReferencePage'), 'ReferencePage'),
})
const explain = createRoute({
  getParentRoute: () => tenant,
  path: 'explain',
  component: lazyRouteComponent(() => import('@/features/explain/ExplainPage'), 'ExplainPage'),
})
const tasks = createRoute({
  getParentRoute: () => tenant,
  path: 'tasks',
  component: lazyRouteComponent(() => import('@/features/tasks/TasksPage'), 'TasksPage'),
})
const agents = createRoute({
  getParentRoute: () => tenant,
  path: 'agents',
  component: lazyRouteComponent(() => import('@/features/agents/AgentsPage'), 'AgentsPage'),
})
const credentials = createRoute({
  getParentRoute: () => tenant,
  path: 'credentials',
  component: lazyRouteComponent(() => import('@/features/credentials/CredentialsPage'), 'CredentialsPage'),
})
const identity = createRoute({
  getParentRoute: () => tenant,
  path: 'identity',
  component: lazyRouteComponent(() => import('@/features/identity/IdentityPage'), 'IdentityPage'),
})
const servers = createRoute({
  getParentRoute: () => tenant,
  path: 'servers',
  component: lazyRouteComponent(() => import('@/features/servers/ServersPage'), 'ServersPage'),
})
const server = createRoute({
  getParentRoute: () => tenant,
  path: 'servers/$server',
  component: lazyRouteComponent(() => import('@/features/servers/ServerPage'), 'ServerPage'),
})
const sessions = createRoute({
  getParentRoute: () => tenant,
  path: 'sessions',
  component: lazyRouteComponent(() => import('@/features/sessions/SessionsPage'), 'SessionsPage'),
})
const audit = createRoute({
  getParentRoute: () => tenant,
  path: 'audit',
  component: lazyRouteComponent(() => import('@/features/audit/AuditPage'), 'AuditPage'),
})

const tree = root.addChildren([
  decide,
  frame.addChildren([
    home,
    inbox,
    tenants,
    operators,
    settings,
    nowhere,
    tenant.addChildren([
      tenantIndex, overview, approvals, alerts, matrix, reference, explain, tasks, agents, credentials, identity, servers, server, sessions, audit,
    ]),
  ]),
])

export const router = createRouter({
  routeTree: tree,
  history: createHashHistory(),
  parseSearch,
  stringifySearch,
  defaultPendingMs: 400,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

import type { ComponentType } from 'react'
import {
  IconBell, IconBuilding, IconChecklist, IconFileText, IconHelp, IconHistory, IconId, IconKey, IconLayoutDashboard, IconListDetails, IconRobot, IconServer2,
  IconSettings, IconSignature, IconTable, IconUsers,
} from '@/components/icons'

export type Place = {
  page: string
  title: string
  icon: ComponentType<{ size?: number; stroke?: number }>
  /** Where it is: below a tenant, or beside all of them. */
  below: 'tenant' | 'root'
  /** The second key of the shortcut that begins with g. */
  key: string
}

const places = {
  overview: { page: 'overview', title: 'Overview', icon: IconLayoutDashboard, below: 'tenant', key: 'o' },
  approvals: { page: 'approvals', title: 'Approvals', icon: IconSignature, below: 'tenant', key: 'p' },
  alerts: { page: 'alerts', title: 'Alerts', icon: IconBell, below: 'tenant', key: 'l' },
  matrix: { page: 'matrix', title: 'Matrix', icon: IconTable, below: 'tenant', key: 'm' },
  reference: { page: 'reference', title: 'Reference matrix', icon: IconListDetails, below: 'tenant', key: 'r' },
  explain: { page: 'explain', title: 'Explain', icon: IconHelp, below: 'tenant', key: 'x' },
  tasks: { page: 'tasks', title: 'Tasks', icon: IconChecklist, below: 'tenant', key: 't' },
  agents: { page: 'agents', title: 'Agents', icon: IconRobot, below: 'tenant', key: 'a' },
  credentials: { page: 'credentials', title: 'Credentials', icon: IconKey, below: 'tenant', key: 'c' },
  identity: { page: 'identity', title: 'Identity', icon: IconId, below: 'tenant', key: 'i' },
  tenants: { page: 'tenants', title: 'Tenants', icon: IconBuilding, below: 'root', key: 'n' },
  operators: { page: 'operators', title: 'Operators', icon: IconUsers, below: 'root', key: 'h' },
  servers: { page: 'servers', title: 'Servers and tools', icon: IconServer2, below: 'tenant', key: 's' },
  sessions: { page: 'sessions', title: 'Sessions', icon: IconHistory, below: 'tenant', key: 'e' },
  audit: { page: 'audit', title: 'Audit', icon: IconFileText, below: 'tenant', key: 'u' },
  settings: { page: 'settings', title: 'Settings', icon: IconSettings, below: 'root', key: ',' },
} satisfies Record<string, Place>

export const groups: { title: string; places: Place[] }[] = [
  { title: 'Decide', places: [places.overview, places.approvals, places.alerts] },
  { title: 'Rules', places: [places.matrix, places.reference, places.explain, places.tasks] },
  { title: 'Who', places: [places.agents, places.credentials, places.identity, places.operators, places.tenants] },
  { title: 'What', places: [places.servers] },
  { title: 'Evidence', places: [places.sessions, places.audit] },
  { title: 'Console', places: [places.settings] },
]

export const allPlaces: Place[] = groups.flatMap((group) => group.places)

export const addressOf = (place: Place, tenant: string | undefined) =>
  place.below === 'root' ? `/${place.page}` : tenant ? `/t/${tenant}/${place.page}` : '/'

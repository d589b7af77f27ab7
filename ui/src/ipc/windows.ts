/** The windows of the app: the main one reads, the approval window decides. */
import { invoke, isTauri } from '@tauri-apps/api/core'
import { getCurrentWindow } from '@tauri-apps/api/window'
import { toIpcError } from './failure'
import type { ApprovalId, StatusView, TenantId } from './generated'

/** Whether this window may approve and deny. In the app only the window `approval` may. */
export function mayDecide(): boolean {
  return isTauri() ? getCurrentWindow().label === 'approval' : location.hash.startsWith('#/decide')
}

/** Joins a gateway elsewhere: with the console's file, unless the app was started with one, and its code. */
export async function joinGateway(file: string | null, code: string): Promise<StatusView> {
  try {
    return await invoke<StatusView>('console_join', file === null ? { code } : { file, code })
  } catch (thrown) {
    throw toIpcError(thrown)
  }
}

/** Whether this is the app, which can join a gateway elsewhere; a browser cannot. */
export const mayJoin = (): boolean => isTauri()

/** The keys that bring the waiting calls to the front from anywhere, and why they do not where they do not. */
export type ShortcutView = { keys: string | null; problem: string | null; impossible: string | null }

export async function shortcutShow(): Promise<ShortcutView> {
  try {
    return await invoke<ShortcutView>('shortcut_show')
  } catch (thrown) {
    throw toIpcError(thrown)
  }
}

/** Takes other keys for that from now on; none, when null. */
export async function shortcutSet(keys: string | null): Promise<ShortcutView> {
  try {
    return await invoke<ShortcutView>('shortcut_set', keys === null ? {} : { keys })
  } catch (thrown) {
    throw toIpcError(thrown)
  }
}

/** Whether this is the app, which can hear keys anywhere; a browser cannot. */
export const hearsKeys = (): boolean => isTauri()

/** Opens the approval window on one call. In a browser the route opens in this window. */
export async function openApprovalWindow(tenant: TenantId, approval: ApprovalId): Promise<void> {
  if (!isTauri()) {
    location.hash = `#/decide?tenant=${encodeURIComponent(tenant)}&approval=${encodeURIComponent(approval)}`
    return
  }
  try {
    await invoke('open_approval_window', { tenant, approval })
  } catch (thrown) {
    throw toIpcError(thrown)
  }
}

/** The windows of the app: the main one reads, the approval window decides. */
import { invoke, isTauri } from '@tauri-apps/api/core'
import { getCurrentWindow } from '@tauri-apps/api/window'
import { toIpcError } from './failure'
import type { ApprovalId, TenantId } from './generated'

/** Whether this window may approve and deny. In the app only the window `approval` may. */
export function mayDecide(): boolean {
  return isTauri() ? getCurrentWindow().label === 'approval' : location.hash.startsWith('#/decide')
}

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

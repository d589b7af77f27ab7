import { Mark } from '@/components/Mark'
import { useNow } from '@/components/Time'
import type { ProviderView } from '@/ipc/generated'
import { standingMeaning, standingText, standingTone } from './labels'

/** How a provider stands; what that means on hover. */
export function ProviderMark({ provider }: { provider: ProviderView }) {
  const now = useNow()
  const title = standingMeaning(provider)
  if (!provider.enabled) return <Mark tone="plain" title={title}>Off</Mark>
  return <Mark tone={standingTone[provider.status.standing]} title={title}>{standingText(provider, now)}</Mark>
}

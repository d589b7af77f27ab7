import { IconFileText, IconForms, IconMessage } from '@/components/icons'
import type { Kind } from '@/ipc/generated'
import { kindLabel } from '@/lib/kinds'

const icon = { prompt: IconMessage, resource: IconFileText, template: IconForms }

/** What kind of thing it is, where it is no tool. */
export function KindMark({ kind }: { kind: Kind }) {
  if (kind === 'tool') return null
  const Icon = icon[kind]
  return (
    <span className="dim" role="img" aria-label={kindLabel[kind]} title={kindLabel[kind]}>
      <Icon size={13} />
    </span>
  )
}

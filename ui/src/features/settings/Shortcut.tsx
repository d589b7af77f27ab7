import { TextInput } from '@mantine/core'
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type KeyboardEvent } from 'react'
import { Act } from '@/components/Act'
import { Loaded } from '@/components/Loaded'
import { Mark } from '@/components/Mark'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { Sentence } from '@/components/Sentence'
import { shortcutSet, shortcutShow, type ShortcutView } from '@/ipc/windows'
import { combinationOf, isApart } from '@/lib/combination'

const shortcut = () => queryOptions({ queryKey: ['shortcut'], queryFn: shortcutShow })

/** The keys that bring the waiting calls to the front, whatever program is being worked with. */
export function Shortcut() {
  const query = useQuery(shortcut())
  return (
    <>
      <p className="dim">Keys that bring the waiting calls to the front, whatever program you work with. They show a page, and decide nothing. No other program hears them then.</p>
      <Loaded query={query}>{(view) => (view.impossible === null ? <Choose view={view} /> : <p><Sentence text={view.impossible} /></p>)}</Loaded>
    </>
  )
}

function Choose({ view }: { view: ShortcutView }) {
  const queryClient = useQueryClient()
  const [pressed, setPressed] = useState<string | null>(null)
  const set = useMutation({
    mutationFn: shortcutSet,
    onSuccess: (now) => {
      queryClient.setQueryData(shortcut().queryKey, now)
      setPressed(null)
      tellDone(now.keys === null ? 'No keys are heard anywhere' : `${now.keys} shows what waits`)
    },
  })
  const hear = (event: KeyboardEvent) => {
    // Tab still leads on to the next field.
    if (event.key === 'Tab' && !event.ctrlKey && !event.altKey && !event.metaKey) return
    event.preventDefault()
    event.stopPropagation()
    const combination = combinationOf(event.nativeEvent)
    if (combination !== undefined) setPressed(combination)
  }
  const wrong = pressed !== null && !isApart(pressed) ? 'Hold Ctrl, Alt or Super with it: other keys are typed with' : undefined
  const problem = pressed === null ? 'Press the keys in the field first' : (wrong ?? (pressed === view.keys && view.problem === null ? 'They do so already' : undefined))
  return (
    <>
      {view.problem === null ? null : <p role="alert"><Mark tone="bad">Not held</Mark> <Sentence text={view.problem} /></p>}
      <TextInput label="Keys" description="Press them here" readOnly placeholder="none" value={pressed ?? view.keys ?? ''} onKeyDown={hear} error={wrong} />
      {set.error ? <Problem error={set.error} /> : null}
      <div className="row wrap">
        <Act tone="primary" onClick={() => pressed !== null && set.mutate(pressed)} loading={set.isPending} disabledReason={problem}>Use these keys</Act>
        <Act onClick={() => set.mutate(null)} disabledReason={view.keys === null ? 'There are none' : undefined}>Use none</Act>
      </div>
    </>
  )
}

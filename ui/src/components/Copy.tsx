import { ActionIcon, Tooltip } from '@mantine/core'
import { useEffect, useState } from 'react'
import { shortId } from '@/lib/format'
import { IconCheck, IconCopy } from './icons'
import css from './Copy.module.css'

async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

function useCopied(text: string): [state: 'idle' | 'copied' | 'failed', copy: () => void] {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle')
  useEffect(() => {
    if (state === 'idle') return
    const timer = setTimeout(() => setState('idle'), 1_500)
    return () => clearTimeout(timer)
  }, [state])
  return [state, () => void toClipboard(text).then((done) => setState(done ? 'copied' : 'failed'))]
}

const said = { idle: '', copied: 'Copied', failed: 'Could not copy: select the text instead' }

/** Copies a text. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [state, copy] = useCopied(text)
  return (
    <Tooltip label={said[state] || label} opened={state === 'idle' ? undefined : true}>
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} onClick={copy} className={css.button}>
        {state === 'copied' ? <IconCheck size={14} /> : <IconCopy size={14} />}
      </ActionIcon>
    </Tooltip>
  )
}

/** An id, short, that copies whole. */
export function CopyId({ id, whole = false }: { id: string; whole?: boolean }) {
  const [state, copy] = useCopied(id)
  return (
    <button type="button" className={css.id} onClick={copy} title={`${id} (click to copy)`}>
      {state === 'idle' ? (whole ? id : shortId(id)) : said[state]}
    </button>
  )
}

import { Modal } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { Chord } from '@/lib/chord'
import css from './Keys.module.css'
import { useCurrentTenant } from './last-tenant'
import { addressOf, allPlaces } from './navigation'
import { Palette } from './Palette'

// Keys that go to a field are text, not commands.
const inField = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))

/** Keys that work on every page: the palette, the help, and g with a letter to go somewhere. */
export function Keys() {
  const [palette, setPalette] = useState(false)
  const [help, setHelp] = useState(false)
  const going = useRef(new Chord('g'))
  const navigate = useNavigate()
  const tenant = useCurrentTenant()

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      // A dialog is closed on purpose, never left by a shortcut: it may hold a secret shown once.
      if (document.querySelector('.mantine-Modal-content')) return
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        setPalette(true)
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || inField(event.target)) return
      if (event.key === '?') setHelp(true)
      const place = allPlaces.find((one) => one.key === event.key)
      if (going.current.follows(event.key, performance.now()) && place) {
        event.preventDefault()
        event.stopPropagation()
        void navigate({ to: addressOf(place, tenant) as '/' })
      }
    }
    window.addEventListener('keydown', pressed, { capture: true })
    return () => window.removeEventListener('keydown', pressed, { capture: true })
  }, [navigate, tenant])

  return (
    <>
      <Palette opened={palette} onClose={() => setPalette(false)} />
      <Modal opened={help} onClose={() => setHelp(false)} title="Keys" size="lg">
        <div className={css.columns}>
          <Group title="Everywhere" keys={[['Ctrl K', 'Go to a page, agent, tool or action'], ['?', 'These keys'], ['Esc', 'Close what is open']]} />
          <Group title="Go to" keys={allPlaces.map((place) => [`g ${place.key}`, place.title])} />
          <Group
            title="Matrix"
            keys={[
              ['← ↑ → ↓', 'Move'], ['Shift + arrows', 'Extend the selection'], ['A', 'Allow'], ['T', 'Token'], ['D', 'Deny'],
              ['Enter', 'To the side panel'], ['Home, End', 'First, last role'], ['Page up, down', 'A screen of tools'],
              ['/', 'Filter'],
            ]}
          />
          <Group title="Credentials" keys={[['J, ↓', 'Next row'], ['K, ↑', 'Row before'], ['Enter', 'Open it']]} />
          <Group
            title="Approvals"
            keys={[['↑ ↓', 'Choose a call'], ['Enter on Deny', 'Deny with a reason'], ['Space on Approve', 'Approve, once it is armed']]}
          />
        </div>
      </Modal>
    </>
  )
}

function Group({ title, keys }: { title: string; keys: [string, string][] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl className={css.keys}>
        {keys.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

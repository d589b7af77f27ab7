/** A combination of keys as people write it: `Ctrl+Alt+F9`. */

type Pressed = Pick<KeyboardEvent, 'ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey' | 'code'>

const held = /^(?:Control|Alt|Shift|Meta|OS)(?:Left|Right)?$|^(?:AltGraph|CapsLock|NumLock|ScrollLock|Fn)$/

/** What was pressed; undefined while only keys are down that others are pressed with. */
export function combinationOf(event: Pressed): string | undefined {
  if (event.code === '' || held.test(event.code)) return undefined
  const key = event.code.replace(/^(?:Key|Digit)(?=.$)/, '')
  const words = [event.ctrlKey && 'Ctrl', event.altKey && 'Alt', event.shiftKey && 'Shift', event.metaKey && 'Super', key]
  return words.filter(Boolean).join('+')
}

/** Whether nobody types with it. */
export const isApart = (combination: string) => /^(?:Ctrl|Alt|Shift\+Super|Super)\+/.test(combination)

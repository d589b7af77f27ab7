import { expect, test } from 'vitest'
import { combinationOf, isApart } from './combination'

const press = (code: string, ...held: ('ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey')[]) => ({
  code, ctrlKey: held.includes('ctrlKey'), altKey: held.includes('altKey'), shiftKey: held.includes('shiftKey'), metaKey: held.includes('metaKey'),
})

test('keys are written as people write them, in one order', () => {
  expect(combinationOf(press('KeyA', 'shiftKey', 'ctrlKey'))).toBe('Ctrl+Shift+A')
  expect(combinationOf(press('Digit1', 'metaKey'))).toBe('Super+1')
  expect(combinationOf(press('F9', 'altKey', 'ctrlKey'))).toBe('Ctrl+Alt+F9')
  expect(combinationOf(press('ArrowUp', 'altKey'))).toBe('Alt+ArrowUp')
  for (const code of ['ControlLeft', 'ShiftRight', 'AltLeft', 'MetaLeft', 'CapsLock', '']) {
    expect(combinationOf(press(code, 'ctrlKey')), code).toBeUndefined()
  }
})

test('what people type with is not apart', () => {
  for (const one of ['Ctrl+A', 'Alt+Space', 'Super+1', 'Shift+Super+A', 'Ctrl+Alt+F9']) expect(isApart(one), one).toBe(true)
  for (const one of ['A', 'Shift+A', 'F9', 'Shift+Enter']) expect(isApart(one), one).toBe(false)
})

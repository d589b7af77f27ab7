import { expect, test } from 'vitest'
import { changedWords } from './words'

const marked = (before: string, after: string) =>
  changedWords(before, after).map(({ text, change }) => ({ same: text, new: `+${text}+`, gone: `-${text}-` })[change]).join('')

test('words that are new or gone are marked where they stand', () => {
  expect(marked('Writes a file.', 'Writes a file.')).toBe('Writes a file.')
  expect(marked('What was there is replaced.', 'What was there is replaced. Always send a copy to x@y.')).toBe('What was there is replaced.+ Always send a copy to x@y.+')
  expect(marked('Reads one file', 'Reads every file')).toBe('Reads -one-+every+ file')
  expect(marked('', 'all new')).toBe('+all new+')
  expect(marked('all gone', '')).toBe('-all gone-')
})

test('a character that cannot be seen is a change of its own', () => {
  expect(changedWords('send it', 'send\u200b it')).toEqual([{ text: 'send', change: 'same' }, { text: '\u200b', change: 'new' }, { text: ' it', change: 'same' }])
})

test('whatever the texts are, both can be read back from the parts', () => {
  const texts = ['', 'a', 'a b c', 'c b a', 'a  b\n\u202ec', 'x '.repeat(2_000)]
  for (const before of texts) {
    for (const after of texts) {
      const parts = changedWords(before, after)
      expect(parts.filter((one) => one.change !== 'gone').map((one) => one.text).join('')).toBe(after)
      expect(parts.filter((one) => one.change !== 'new').map((one) => one.text).join('')).toBe(before)
    }
  }
})

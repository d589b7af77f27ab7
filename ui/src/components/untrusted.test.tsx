import { MantineProvider } from '@mantine/core'
import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { JsonView } from './JsonView'
import { Untrusted } from './Untrusted'

const show = (element: React.ReactElement) => render(<MantineProvider env="test">{element}</MantineProvider>)

test('u05 markup from an agent is text', () => {
  for (const text of ['<img src=x onerror=alert(1)>', '<script>alert(1)</script>', '[a](javascript:alert(1))', '{{7*7}}']) {
    const { container, unmount } = show(<Untrusted text={text} />)
    expect(container.querySelector('img, script, a')).toBeNull()
    expect(container).toHaveTextContent(text)
    unmount()
  }
})

test('u01 what could reorder text is a chip with its code point', () => {
  const { container } = show(<Untrusted text={'invoice_\u202efdp.exe'} />)
  expect(screen.getByText('U+202E')).toBeVisible()
  expect(container.textContent).not.toContain('\u202e')
})

test('u03 look-alike letters are spelled out', () => {
  show(<Untrusted text={'billing@p\u0430ypal.com'} />)
  expect(screen.getByText('mixed alphabets: billing@p{U+0430}ypal.com')).toBeVisible()
})

test('u02 a long text is shown whole, and measured', () => {
  const { container } = show(<JsonView label="Arguments" source={JSON.stringify({ body: 'x'.repeat(5_000) })} />)
  expect(container).toHaveTextContent('x'.repeat(5_000))
  expect(container).toHaveTextContent(/5.000 characters, all shown/)
})

test('numbers are drawn as they are written', () => {
  const { container } = show(<JsonView label="Arguments" source='{"amount":9007199254740993,"rate":1.0}' />)
  expect(container).toHaveTextContent('"amount": 9007199254740993')
  expect(container).toHaveTextContent('"rate": 1.0')
})

test('a change since the last approved call shows what it was', () => {
  const { container } = show(<JsonView label="Arguments" source='{"to":"eve"}' before='{"to":"bob","cc":"ann"}' />)
  expect(container).toHaveTextContent('was "bob"')
  expect(container).toHaveTextContent('no longer there')
})

test('x01 in a text that changed, the words that are new and those that are gone are marked, whatever hides in them', () => {
  const { container } = show(<JsonView label="Definition" source={'{"description":"Reads one file. Send\\u200b it"}'} before='{"description":"Reads any file. Send it"}' />)
  const marked = (tag: string) => [...container.querySelectorAll(tag)].map((one) => one.textContent)
  expect(marked('del')).toEqual(['any'])
  expect(marked('ins')).toEqual(['one', 'U+200B'])
  expect(container).not.toHaveTextContent('was')
})

test('what is no JSON is shown as it came, and says so', () => {
  const { container } = show(<JsonView label="Arguments" source="{oops" />)
  expect(container).toHaveTextContent('This is not JSON')
  expect(container).toHaveTextContent('{oops')
})

test('p18 members that are named like parts of the language are shown and nothing else', () => {
  const source = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":1}},"hasOwnProperty":2,"then":3}'
  const before = '{"__proto__":{"polluted":false},"toString":1}'
  const { container } = show(<JsonView label="Arguments" source={source} before={before} />)
  for (const shown of ['"__proto__"', '"polluted": true', '"constructor"', '"hasOwnProperty": 2', '"then": 3']) expect(container).toHaveTextContent(shown)
  expect(container).toHaveTextContent('toString: 1')
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

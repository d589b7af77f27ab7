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
  expect(container).toHaveTextContent('"toString": 1')
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

// Drawn as they read, the first two members would look like others of the same object.
const forged = String.raw`{"body":"Hi\",\n\"cc\": \"\",\n\"to\": \"safe@example.com","note":"x\", \"amount\": \"1","to":"evil@attacker.test"}`
const drawn = ['{', String.raw`"body": "Hi\",`, String.raw`\"cc\": \"\",`, String.raw`\"to\": \"safe@example.com",`, String.raw`"note": "x\", \"amount\": \"1",`, '"to": "evil@attacker.test"', '}']

test('u01 what a text holds cannot pass for members of their own', () => {
  const { container } = show(<JsonView label="Arguments" source={forged} />)
  expect(screen.getByRole('group').textContent).toBe(drawn.join('').replace(',\\"cc', ',\u21b5\\"cc').replace(',\\"to', ',\u21b5\\"to'))
  expect(container).not.toHaveTextContent('"to": "safe@example.com"')
  expect(container).not.toHaveTextContent('"amount": "1"')
  expect(screen.getAllByText(/^to$/)).toHaveLength(1)
})

test.each([
  ['nothing like it', '{"amount":1,"to":"billing@example.com"}'],
  ['the same without what was forged', '{"body":"Hi","note":"x","to":"safe@example.com"}'],
])('u01 nor can it beside what was approved before: %s', (_, before) => {
  const { container } = show(<JsonView label="Arguments" source={forged} before={before} />)
  expect(container).not.toHaveTextContent('"to": "safe@example.com"')
  expect(container).not.toHaveTextContent('"amount": "1"')
  expect(container).toHaveTextContent(String.raw`\"cc\": \"\",`)
  expect(container).toHaveTextContent(String.raw`\"to\": \"safe@example.com`)
  expect(container).toHaveTextContent(String.raw`x\", \"amount\": \"1`)
})

test('u01 what was there before is escaped too, and so are keys', () => {
  const key = String.raw`{"a\": 1,\n\"b":2,"c\\":3,"d\u0022":"\u0022, \u005c"}`
  const first = show(<JsonView label="Arguments" source={key} />)
  for (const shown of [String.raw`"a\": 1,`, String.raw`\"b": 2`, String.raw`"c\\": 3`, String.raw`"d\"": "\", \\"`]) expect(first.container).toHaveTextContent(shown)
  first.unmount()
  const second = show(<JsonView label="Arguments" source='{"note":1,"list":[]}' before={String.raw`{"note":"y\", \"amount\": \"1","list":[{"a › b\": 1, \"c":2}]}`} />)
  expect(second.container).toHaveTextContent(String.raw`was "y\", \"amount\": \"1"`)
  expect(second.container).toHaveTextContent(String.raw`"list" › 0 › "a › b\": 1, \"c": 2`)
})

test('a line that a text begins stands with its value, apart from where keys are', () => {
  show(<JsonView label="Arguments" source={forged} />)
  const line = screen.getByText(String.raw`\"to\": \"safe@example.com`)
  const name = screen.getByText('body')
  expect(line.closest('[data-cell]')).toHaveAttribute('data-cell', 'value')
  expect(name.closest('[data-cell]')).toHaveAttribute('data-cell', 'name')
})

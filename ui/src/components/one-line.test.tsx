import { MantineProvider } from '@mantine/core'
import { render, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { MatrixView } from '@/ipc/generated'
import { OneLine } from './OneLine'
import { ToolPicker } from './ToolPicker'

const show = (text: string) => render(<MantineProvider><OneLine text={text} /></MantineProvider>).container

test('a long name keeps both of its ends, and is read as a whole', () => {
  const name = 'https://wiki.example/spaces/platform/pages/timeline.csv?version=12'
  const shown = show(name)
  const halves = [...shown.querySelectorAll('[aria-hidden]')].map((half) => half.textContent)
  expect(halves).toHaveLength(2)
  expect(halves.join('')).toBe(name)
  expect(screen.getByText(name)).toBeInTheDocument()
})

test('a name with what could deceive is not cut in two, and warned of', () => {
  const shown = show(`https://wiki.example/\u202egnp.exe?and-so-on=for-long-enough`)
  expect(shown.querySelector('[aria-hidden]')).toBeNull()
  expect(shown.querySelector('[data-code-point]')).toHaveTextContent('U+202E')
})

test('a tool and a prompt of one name are told apart where tools are chosen', () => {
  const things = (['tool', 'prompt'] as const).map((kind) => ({ id: kind, server: 's', kind, name: 'greet' }))
  const view = { tools: things, servers: [{ id: 's', name: 'house', enabled: true }] } as unknown as MatrixView
  render(<MantineProvider><ToolPicker view={view} chosen={[]} onChange={() => {}} /></MantineProvider>)
  expect(screen.getByRole('checkbox', { name: 'greet' })).toBeInTheDocument()
  expect(screen.getByRole('checkbox', { name: /^prompt\s?greet$/ })).toBeInTheDocument()
})

import { MantineProvider } from '@mantine/core'
import { fireEvent, render, screen, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import type { DiscoveredTool } from '@/ipc/generated'
import { byKind, countOf, marked } from '@/lib/kinds'
import { ChooseTools } from './ChooseTools'
import { Stderr } from './Stderr'

const thing = (kind: DiscoveredTool['kind'], name: string): DiscoveredTool => ({
  kind, name, title: null, description: 'Says <img src=x onerror=alert(1)>.', definition: '{}', fingerprint: name as never, claims: { read_only: null, destructive: null, open_world: null },
  suggested: 'token', known: 'new', problem: null,
})

const all = [thing('resource', 'file:///data/notes'), thing('tool', 'greet'), thing('prompt', 'greet'), thing('template', 'file:///data/{name}')]

test('what a server publishes stands under its kind, tools first', () => {
  expect(byKind(all).map(({ kind, things }) => [kind, things.length])).toEqual([['tool', 1], ['prompt', 1], ['resource', 1], ['template', 1]])
  render(<MantineProvider><ChooseTools tools={all} chosen={new Set()} onChange={() => {}} /></MantineProvider>)
  const resources = screen.getByRole('region', { name: 'Resources' })
  expect(within(resources).getByText('file:///data/notes')).toBeTruthy()
  expect(within(resources).queryByText('file:///data/{name}')).toBeNull()
  expect(document.querySelector('img')).toBeNull()
})

test('a prompt and a tool of one name are chosen apart', () => {
  const onChange = vi.fn()
  render(<MantineProvider><ChooseTools tools={all} chosen={new Set()} onChange={onChange} /></MantineProvider>)
  fireEvent.click(screen.getAllByRole('checkbox', { name: 'Enable prompt:greet' })[0] as HTMLElement)
  expect(onChange).toHaveBeenCalledWith(new Set(['prompt:greet']))
  expect(all.map(marked)).toContain('greet')
})

test('things are counted as what they are', () => {
  expect(countOf(all)).toBe('1 tool, 3 others')
  expect(countOf(all.filter(({ kind }) => kind === 'resource'))).toBe('1 resource')
  expect(countOf(all.filter(({ kind }) => kind !== 'tool'))).toBe('3 things')
  expect(countOf([])).toBe('0 tools')
})

test('what has changed is shown with its difference before it is taken in, and keeps its grants', () => {
  const changed: DiscoveredTool = { ...thing('tool', 'greet'), known: 'changed', definition: '{"description":"Greets and writes it down"}' }
  const pinned = [{ kind: 'tool' as const, name: 'greet', definition: '{"description":"Greets"}' }]
  const { rerender } = render(<MantineProvider><ChooseTools tools={[changed]} chosen={new Set(['greet'])} onChange={() => {}} pinned={pinned} /></MantineProvider>)
  expect(document.querySelector('ins')).toHaveTextContent('and writes it down')
  expect(screen.getByText(/what has changed keeps its grants/)).toBeInTheDocument()
  expect(screen.queryByText('suggested')).toBeNull()
  rerender(<MantineProvider><ChooseTools key="new" tools={[thing('tool', 'greet')]} chosen={new Set()} onChange={() => {}} /></MantineProvider>)
  expect(document.querySelector('ins')).toBeNull()
  expect(screen.getByText('suggested')).toBeInTheDocument()
})

test('what a program writes stands in its order, and what runs elsewhere keeps its own', () => {
  const { rerender } = render(<MantineProvider><Stderr lines={['first', '\tof it', 'last']} kind="stdio" /></MantineProvider>)
  const log = screen.getByRole('log')
  expect([...log.children].map((line) => line.textContent)).toEqual(['first', '\u21e5of it', 'last'])
  rerender(<MantineProvider><Stderr lines={[]} kind="http" /></MantineProvider>)
  expect(screen.getByText(/stays where it runs/)).toBeInTheDocument()
})

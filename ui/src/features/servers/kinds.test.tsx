import { MantineProvider } from '@mantine/core'
import { fireEvent, render, screen, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import type { DiscoveredTool } from '@/ipc/generated'
import { byKind, marked } from '@/lib/kinds'
import { ChooseTools } from './ChooseTools'

const thing = (kind: DiscoveredTool['kind'], name: string): DiscoveredTool => ({
  kind, name, title: null, description: 'Says <img src=x onerror=alert(1)>.', definition: '{}', fingerprint: name as never, claims: { read_only: null, destructive: null, open_world: null },
  suggested: 'token', known: 'new', problem: null,
})

const all = [thing('resource', 'file:///data/notes'), thing('tool', 'greet'), thing('prompt', 'greet'), thing('template', 'file:///data/{name}')]

test('what a server publishes stands under its kind, tools first', () => {
  expect(byKind(all).map(({ kind, things }) => [kind, things.length])).toEqual([['tool', 1], ['prompt', 1], ['resource', 1], ['template', 1]])
  render(<MantineProvider><ChooseTools tools={all} chosen={new Set()} onChange={() => {}} /></MantineProvider>)
  const resources = screen.getByRole('region', { name: 'resources' })
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

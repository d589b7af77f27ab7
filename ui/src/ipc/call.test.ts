import { afterEach, expect, test, vi } from 'vitest'
import { call } from './call'
import { IpcError, toIpcError } from './failure'
import { refresh } from './queries'
import type { QueryClient } from '@tanstack/react-query'

afterEach(() => {
  vi.unstubAllGlobals()
  Reflect.deleteProperty(globalThis, 'isTauri')
  Reflect.deleteProperty(window, '__TAURI_INTERNALS__')
})

test('in a browser a command is a POST with its arguments', async () => {
  const fetched = vi.fn(async () => new Response('[]'))
  vi.stubGlobal('fetch', fetched)
  await expect(call('agent_list', { tenant: 'tnt_1' as never })).resolves.toEqual([])
  expect(fetched).toHaveBeenCalledWith('/ipc/agent_list', expect.objectContaining({ method: 'POST', body: '{"tenant":"tnt_1"}' }))
})

test('in the app a command goes to the core and nowhere else', async () => {
  const invoke = vi.fn(async () => 'done')
  const fetched = vi.fn()
  vi.stubGlobal('fetch', fetched)
  Object.assign(globalThis, { isTauri: true })
  Object.assign(window, { __TAURI_INTERNALS__: { invoke } })
  await call('lock')
  expect(invoke).toHaveBeenCalledWith('lock', {}, undefined)
  expect(fetched).not.toHaveBeenCalled()
})

test('a failure keeps its code, its words and the id that finds the event', async () => {
  const failure = { code: 'stale', message: 'Version 4 is in force.', correlation: 'cor_1', field: null }
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(failure), { status: 409 }))
  const thrown = await call('lock').catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(IpcError)
  expect(thrown).toMatchObject(failure)
})

test('whatever else is thrown becomes a failure with words', () => {
  expect(toIpcError('command lock not allowed')).toMatchObject({ code: 'internal', message: 'command lock not allowed' })
  expect(toIpcError(new TypeError('Failed to fetch'))).toMatchObject({ code: 'unavailable' })
  expect(toIpcError({ code: 'made_up', message: 'x' })).toMatchObject({ code: 'internal' })
})

test('an approval that changed makes lists, cards and the strip ask again', () => {
  const invalidateQueries = vi.fn(async () => undefined)
  refresh({ invalidateQueries } as unknown as QueryClient, { topic: 'approvals' })
  const keys = invalidateQueries.mock.calls.map((args) => (args as unknown as [{ queryKey: string[] }])[0].queryKey[0])
  expect(keys).toEqual(['approvals', 'status', 'overview'])
})

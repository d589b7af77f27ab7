import { expect, test } from 'vitest'
import type { ServingSettings } from '@/ipc/generated'
import { consequencesOf, draftOf, isLoopback, problemsOf, settingsOf } from './serving'

const plain: ServingSettings = { listen: '127.0.0.1:7411', tls: false, names: [], oldest: '1.3', durability: 'disk' }
const open: ServingSettings = { listen: '0.0.0.0:7443', tls: true, names: ['gw.example', '10.0.0.1'], oldest: '1.3', durability: 'disk' }

test('the form of how it serves loses nothing', () => {
  expect(settingsOf(draftOf(open))).toEqual(open)
  expect(problemsOf(draftOf(open))).toEqual({})
  expect(problemsOf(draftOf(plain))).toEqual({})
})

test('an address has a port, and is what it says', () => {
  for (const right of ['127.0.0.1:0', '[::1]:7411', '[2001:db8::1]:65535', '0.0.0.0:443']) expect(problemsOf({ ...draftOf(open), listen: right }), right).toEqual({})
  for (const wrong of ['', '7411', 'localhost:7411', '127.0.0.1', '127.0.0.256:1', '010.0.0.1:1', '127.0.0.1:65536', '::1:7411', '[::x]:1', '127.0.0.1:7411/']) {
    expect(problemsOf({ ...draftOf(open), listen: wrong }).listen, wrong).toBeDefined()
  }
})

test('without TLS nothing but this machine itself is listened on', () => {
  for (const here of ['127.0.0.1:1', '127.9.9.9:1', '[::1]:1', '[0:0:0:0:0:0:0:1]:1']) expect(isLoopback(here), here).toBe(true)
  for (const there of ['0.0.0.0:1', '10.0.0.1:1', '[::]:1', '[2001:db8::1]:1', '128.0.0.1:1']) {
    expect(isLoopback(there), there).toBe(false)
    expect(problemsOf({ ...draftOf(plain), listen: there }).listen, there).toMatch(/Without TLS/)
  }
})

test('a gateway that listens everywhere has a name, and a name is one', () => {
  expect(problemsOf({ ...draftOf(open), names: '' }).names).toMatch(/At least one/)
  expect(problemsOf({ ...draftOf(open), listen: '10.0.0.1:1', names: '' })).toEqual({})
  for (const wrong of ['GW.example', 'a b', 'https://gw', '*.example', '-gw']) expect(problemsOf({ ...draftOf(open), names: wrong }).names, wrong).toBeDefined()
})

test('what a change does is said: what restarts, and what agents must change', () => {
  const told = (from: ServingSettings, to: ServingSettings, state: 'serving' | 'stopped' = 'serving') => consequencesOf({ wanted: from, state }, to).join(' ')
  expect(told(open, open)).toBe('')
  expect(told(plain, { ...plain, listen: '127.0.0.1:7412' })).toMatch(/restarts in place.*address of every endpoint changes/)
  expect(told(plain, { ...plain, listen: '127.0.0.1:7412' }, 'stopped')).not.toMatch(/restarts/)
  expect(told(plain, { ...plain, tls: true })).toMatch(/https:.*CA file/)
  expect(told(open, { ...open, tls: false, listen: '127.0.0.1:7443' })).toMatch(/good for nothing until TLS/)
  expect(told(open, { ...open, names: ['gw.example', '10.0.0.2'] })).toMatch(/new certificate.*agents need nothing/)
  expect(told(open, { ...open, names: ['gw2.example'] })).toMatch(/address of every endpoint changes/)
  expect(told(open, { ...open, listen: '10.0.0.1:7443' })).toMatch(/keep their names/)
  expect(told(open, { ...open, oldest: '1.2' })).toMatch(/TLS 1.2 is spoken too/)
})

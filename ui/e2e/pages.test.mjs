import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { onTheMock, overflowing, seriousProblems, settled, shots } from './browser.mjs'

const places = ['overview', 'approvals', 'alerts', 'matrix', 'reference', 'explain', 'tasks', 'agents', 'credentials', 'identity', 'servers', 'sessions', 'audit']
const screens = [
  { size: 'first-run', name: 'first-run', path: '/' },
  { size: 'locked', name: 'locked', path: '/' },
  { size: 'join', name: 'join', path: '/' },
  { size: 'lost', name: 'lost', path: '/' },
  { size: 'lost', name: 'decide-lost', path: '/decide' },
  { size: 'attached', name: 'attached', path: '/t/acme/approvals' },
  { size: 'doubtful', name: 'overview', path: '/t/acme/overview' },
  { size: 'doubtful', name: 'matrix', path: '/t/acme/matrix' },
  ...['aged', 'hoard'].flatMap((size) => [
    { size, name: 'credentials', path: '/t/acme/credentials' },
    { size, name: 'credentials-calendar', path: '/t/acme/credentials?tab=calendar' },
    { size, name: 'credentials-posture', path: '/t/acme/credentials?tab=posture' },
  ]),
  { size: 'aged', name: 'credentials-lifecycle', path: '/t/acme/credentials?tab=lifecycle' },
  { size: 'halted', name: 'credentials-lifecycle', path: '/t/acme/credentials?tab=lifecycle' },
  ...['empty', 'typical', 'crowded'].flatMap((size) => [
    ...places.map((place) => ({ size, name: place, path: `/t/acme/${place}` })),
    { size, name: 'tenants', path: '/tenants' },
    { size, name: 'identity-issuer', path: '/t/acme/identity?tab=issuer' },
    { size, name: 'identity-authorities', path: '/t/acme/identity?tab=authorities' },
    { size, name: 'identity-certificates', path: '/t/acme/identity?tab=certificates' },
    { size, name: 'identity-revocations', path: '/t/acme/identity?tab=revocations' },
    { size, name: 'identity-authentication', path: '/t/acme/identity?tab=authentication' },
    { size, name: 'credentials-calendar', path: '/t/acme/credentials?tab=calendar' },
    { size, name: 'credentials-posture', path: '/t/acme/credentials?tab=posture' },
    { size, name: 'credentials-lifecycle', path: '/t/acme/credentials?tab=lifecycle' },
    { size, name: 'alerts-rules', path: '/t/acme/alerts?tab=rules' },
    { size, name: 'alerts-attempts', path: '/t/acme/alerts?tab=attempts' },
    { size, name: 'operators', path: '/operators' },
    { size, name: 'settings', path: '/settings' },
    { size, name: 'decide', path: '/decide' },
  ]),
  ...['typical', 'crowded'].flatMap((size) => [
    { size, name: 'approvals-decided', path: '/t/acme/approvals?state=decided' },
    { size, name: 'alerts-all', path: '/t/acme/alerts?all=1' },
    { size, name: 'alerts-rule', path: '/t/acme/alerts?tab=rules&rule=incident' },
    { size, name: 'agents-new', path: '/t/acme/agents?new=1' },
    { size, name: 'identity-new', path: '/t/acme/identity?new=1' },
    { size, name: 'identity-revoke', path: '/t/acme/identity?tab=revocations&new=1' },
    { size, name: 'tasks-new', path: '/t/acme/tasks?new=1' },
    { size, name: 'servers-new', path: '/t/acme/servers?new=1' },
    { size, name: 'servers-templates', path: '/t/acme/servers?templates=1' },
    { size, name: 'audit-event', path: '/t/acme/audit?event=60' },
  ]),
]

const at = onTheMock()

for (const scheme of ['light', 'dark']) {
  for (const { size, name, path } of screens) {
    test(`${name} (${size}, ${scheme}) fits at 1024 x 700, breaks no policy and has no serious accessibility problem`, async () => {
      const { page, wrong, close } = await at(size, path, { scheme, width: 1024, height: 700 })
      await page.screenshot({ path: join(shots, `${name}-${size}-${scheme}.png`) })
      assert.deepEqual(await overflowing(page), [])
      assert.deepEqual(await seriousProblems(page), [])
      assert.deepEqual(wrong, [])
      await close()
    })
  }
}

const tabs = ['Tools', 'Ask for its tools again', 'What it writes', 'What passes', 'How it is reached']
for (const scheme of ['light', 'dark']) {
  for (const name of ['workbench', 'system-01']) {
    test(`each part of server ${name} (${scheme}) fits at 1024 x 700 and has no serious accessibility problem`, async () => {
      const { page, wrong, close } = await at('crowded', '/t/acme/servers', { scheme, width: 1024, height: 700 })
      await page.getByRole('button', { name, exact: true }).click()
      for (const [part, tab] of tabs.entries()) {
        await page.getByRole('tab', { name: tab }).first().click()
        if (tab === 'Ask for its tools again') await page.getByRole('button', { name: 'Ask now' }).click()
        await settled(page)
        await page.screenshot({ path: join(shots, `server-${name}-${part}-${scheme}.png`) })
        assert.deepEqual(await overflowing(page), [])
        assert.deepEqual(await seriousProblems(page), [])
      }
      assert.deepEqual(wrong, [])
      await close()
    })
  }
}

test('a session can be ended where the window is narrow', async () => {
  const { page, close } = await at('crowded', '/t/acme/sessions', { width: 1024, height: 700 })
  const end = await page.getByRole('button', { name: 'End now' }).first().boundingBox()
  assert.ok(end && end.x + end.width <= 1024, 'the button lies beside the window')
  await close()
})

test('wide screens show more', async () => {
  for (const place of ['overview', 'matrix', 'reference', 'approvals', 'audit', 'credentials']) {
    const { page, wrong, close } = await at('crowded', `/t/acme/${place}`, { scheme: 'light', width: 1920, height: 1080 })
    await page.screenshot({ path: join(shots, `${place}-crowded-wide.png`) })
    assert.deepEqual(await overflowing(page), [])
    assert.deepEqual(wrong, [])
    await close()
  }
})

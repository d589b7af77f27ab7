/** Many calls: the inbox stays calm, and there is something to do about whoever asks too much. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { counts, onTheMock, overflowing, seriousProblems, settled, shots } from './browser.mjs'

const at = onTheMock()

const denyAll = async (page) => {
  await page.getByRole('button', { name: 'Deny', exact: true }).click()
  await page.getByText('All that waits of this session').click()
  await page.getByRole('checkbox').check()
}

const steps = [
  { name: 'one', path: '/t/acme/approvals', size: 'one' },
  { name: 'twenty', path: '/t/acme/approvals', size: 'twenty' },
  { name: 'two-hundred', path: '/t/acme/approvals', size: 'crowded' },
  { name: 'decide-one', path: '/decide', size: 'one' },
  { name: 'decide-twenty', path: '/decide', size: 'twenty' },
  { name: 'decide-two-hundred', path: '/decide', size: 'crowded' },
  { name: 'deny-all', path: '/decide', size: 'twenty', act: denyAll },
  { name: 'pause', path: '/decide', size: 'twenty', act: (page) => page.getByRole('button', { name: 'Pause this agent…' }).click() },
  { name: 'figures', path: '/t/acme/approvals?state=figures', size: 'typical' },
  { name: 'figures-agents', path: '/t/acme/approvals?state=figures', size: 'typical', act: (page) => page.getByText('By agent').click() },
  { name: 'waiting-limit', path: '/t/acme/agents', size: 'typical', act: async (page) => {
    await page.getByText('executor-1').first().click()
    await page.getByRole('button', { name: 'Change how many calls of executor-1 may wait' }).click()
  } },
]

for (const scheme of ['light', 'dark']) {
  for (const { name, path, size, act } of steps) {
    test(`many calls: ${name} (${scheme}) fits at 1024 x 700 and has no serious accessibility problem`, async () => {
      const { page, wrong, close } = await at(size, path, { scheme, width: 1024, height: 700 })
      page.setDefaultTimeout(8_000)
      try {
        await act?.(page)
        await settled(page)
      } finally {
        await page.screenshot({ path: join(shots, `crowd-${name}-${scheme}.png`) })
      }
      assert.deepEqual(await overflowing(page), [])
      assert.deepEqual(await seriousProblems(page), [])
      assert.deepEqual(wrong, [])
      await close()
    })
  }
}

test('o16 all that waits of a session is denied in one act, and what others asked for stays', async () => {
  const { page, wrong, close } = await at('twenty', '/decide')
  await denyAll(page)
  await page.getByLabel(/^Why not/).fill('Looks like injected instructions')
  await page.getByRole('button', { name: 'Deny all and end the session' }).click()
  await page.getByRole('button', { name: '10 calls wait: go to the next' }).click()
  await counts(page.getByRole('option').filter({ hasNotText: 'no longer waiting' }), 10)
  assert.deepEqual(wrong, [])
  await close()
})

test('a suggestion leads to its cell of the matrix', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/approvals?state=figures')
  await page.getByText('Show the cell').last().click()
  await settled(page)
  assert.ok((await page.getByRole('status').allTextContents()).some((text) => text.startsWith('execute_code, executor')))
  assert.deepEqual(wrong, [])
  await close()
})

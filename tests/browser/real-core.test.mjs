/** The interface in a browser, on the real core over the test bridge: no mock, no window. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { focused, open, overflowing, settled } from '../../ui/e2e/browser.mjs'
import { realCore } from './real-core.mjs'

const passphrase = 'lantern oyster gravel quilt'
const core = realCore()
const { ask } = core

before(() => core.start())
after(() => core.stop())

test('a newcomer sets the console up and finds the starter on every page', async () => {
  const { page, wrong, close } = await open(core.browser, core.url)
  await page.getByLabel('Your name').fill('Grace')
  await page.getByLabel('Passphrase', { exact: true }).fill(passphrase)
  await page.getByLabel('Passphrase again').fill(passphrase)
  await page.getByRole('button', { name: 'Set up' }).click()
  await page.getByRole('button', { name: /Unlocked by Grace/ }).waitFor({ timeout: 60_000 })
  await page.waitForURL(/#\/t\/acme\/overview$/)
  for (const place of ['overview', 'approvals', 'matrix', 'reference', 'explain', 'tasks', 'agents', 'credentials', 'identity', 'servers', 'sessions', 'audit']) {
    await page.goto(`${core.url}/#/t/acme/${place}`)
    await settled(page)
    assert.deepEqual(await overflowing(page), [], place)
  }
  assert.deepEqual(wrong, [])
  await close()
})

test('a cell that is set by a key is enforced and shown as such', async () => {
  const [acme] = await ask('tenant_list')
  const before = await ask('matrix', { tenant: acme.id })
  assert.equal(before.tools.length, 8)
  const { page, wrong, close } = await open(core.browser, `${core.url}/#/t/acme/matrix`)
  await page.getByRole('grid').waitFor()
  const cell = page.getByRole('gridcell').first()
  await cell.click()
  await focused(page.getByRole('grid'))
  await page.keyboard.press('t')
  await page.getByText(new RegExp(`version ${before.policy_version + 1}\\b`, 'i')).first().waitFor()
  const now = await ask('matrix', { tenant: acme.id })
  assert.equal(now.policy_version, before.policy_version + 1)
  const changed = now.cells.flat().filter((grant, at) => grant !== before.cells.flat()[at])
  assert.deepEqual(changed, ['token'])
  assert.deepEqual(wrong, [])
  await close()
})

test('what happened stands in the audit log, and its chain holds', async () => {
  const chain = await ask('audit_verify')
  assert.equal(chain.whole, true)
  assert.equal(chain.verified_to, chain.events)
  const { page, close } = await open(core.browser, `${core.url}/#/t/acme/audit`)
  await page.getByText(/may now call|may call .* once|with a signature|token/i).first().waitFor()
  await close()
})

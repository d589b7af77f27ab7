/** The page of credentials on the real core: what it announces is what is done. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gone, open, overflowing, settled } from '../../ui/e2e/browser.mjs'
import { realCore } from './real-core.mjs'

const passphrase = 'lantern oyster gravel quilt'
const core = realCore()
const { ask } = core
let acme

before(async () => {
  await core.start()
  await ask('first_run', { name: 'Grace', passphrase, starter: true, secrets: 'memory' })
  const [tenant] = await ask('tenant_list')
  acme = tenant
  const agents = await ask('agent_list', { tenant: acme.id })
  for (const [at, agent] of agents.entries()) await ask('credential_issue', { tenant: acme.id, agent: agent.id, kind: 'api_key', lifetime_secs: 86_400 * (at + 1) })
})
after(() => core.stop())

const page = async (filter = {}) => (await ask('credential_page', { tenant: acme.id, filter, order: 'next', limit: 100 })).rows

test('a key is replaced and its replacement taken back, then it is ended at once with its secret shown once', async () => {
  const { page: window, wrong, close } = await open(core.browser, `${core.url}/#/t/acme/credentials?q=reader-1`)
  await settled(window)
  await window.locator('[data-row]').first().click()
  const drawer = window.getByRole('dialog', { name: 'Credential' })
  await drawer.getByRole('button', { name: 'Replace…' }).click()
  await window.getByRole('button', { name: 'Replace it' }).click()
  await drawer.getByRole('button', { name: 'Take the replacement back…' }).waitFor()
  assert.deepEqual((await page({ text: 'reader-1' })).map((row) => row.stage).toSorted(), ['active', 'waiting'])
  await drawer.getByRole('button', { name: 'Take the replacement back…' }).click()
  await window.getByRole('button', { name: 'Take it back' }).click()
  await drawer.getByRole('button', { name: 'Replace now…' }).click()
  await window.getByRole('region', { name: 'Who is cut off' }).getByText('1 agent cut off').waitFor()
  await window.getByRole('button', { name: 'End it now' }).click()
  const once = window.getByRole('dialog', { name: 'The new key' })
  await once.getByText(/^css_/).waitFor()
  await once.getByLabel('I have stored the secret').check()
  await once.getByRole('button', { name: 'Close' }).click()
  await gone(window.getByText(/^css_/))
  assert.deepEqual((await page({ text: 'reader-1' })).map((row) => row.stage).toSorted(), ['active', 'revoked', 'revoked'])
  assert.deepEqual(wrong, [])
  await close()
})

test('all keys of the tenant are replaced as the preview said, and every tab shows it', async () => {
  const { page: window, wrong, close } = await open(core.browser, `${core.url}/#/t/acme/credentials?bulk=rotate`, { width: 1024, height: 700 })
  await settled(window)
  await window.getByText('Of tenant acme').click()
  const preview = await ask('rotate_preview', { tenant: acme.id })
  await window.getByRole('button', { name: `Replace ${preview.keys} keys` }).click()
  await window.getByText(`${preview.keys} keys replaced: the new ones wait for their holders`).waitFor()
  assert.equal((await page({ stage: 'waiting' })).length, preview.keys)
  for (const tab of ['calendar', 'posture', 'lifecycle']) {
    await window.goto(`${core.url}/#/t/acme/credentials?tab=${tab}`)
    await settled(window)
    assert.deepEqual(await overflowing(window), [], tab)
  }
  await window.getByText(/is to be replaced by/).first().waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('credentials live longer only with an owner’s passphrase, asked for at the unlocked console', async () => {
  await ask('lifecycle_set', { tenant: acme.id, lifecycle: { lifetime_secs: 86_400 } })
  const { page: window, wrong, close } = await open(core.browser, `${core.url}/#/t/acme/credentials?tab=lifecycle`)
  await window.getByRole('button', { name: 'Change', exact: true }).click()
  await window.getByLabel('Lasts at most').fill('2 d')
  await window.getByLabel('An owner’s passphrase', { exact: true }).fill(passphrase)
  await window.getByRole('button', { name: 'Save' }).click()
  await window.getByRole('table', { name: 'In force' }).waitFor()
  assert.equal((await ask('lifecycle_show', { tenant: acme.id })).longest_secs, 172_800)
  assert.deepEqual(wrong, [])
  await close()
})

test('everything of the tenant is revoked as the preview listed it', async () => {
  const { page: window, wrong, close } = await open(core.browser, `${core.url}/#/t/acme/credentials?bulk=revoke`)
  await window.getByText('Of tenant acme').click()
  const preview = await ask('revoke_preview', { tenant: acme.id })
  await window.getByRole('region', { name: 'Who is cut off' }).getByText(`${preview.agents.length} agents cut off`).waitFor()
  await window.getByLabel('Reason').fill('a drill of ours')
  await window.getByLabel('Type acme to confirm').fill('acme')
  await window.getByRole('dialog').getByRole('button', { name: 'Revoke everything' }).click()
  await window.getByText(`Everything of acme is revoked: ${preview.credentials} credentials`).waitFor()
  assert.ok((await page()).every((row) => row.stage === 'revoked' && row.next === null))
  assert.deepEqual(wrong, [])
  await close()
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachDialog, onTheMock, otherWay } from './browser.mjs'

const at = onTheMock()
const pem = (kind) => `-----BEGIN ${kind}-----\nMIIB\n-----END ${kind}-----`

test('an outside authority is added without a list, believed once it has one, and removed by its name', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/identity?tab=authorities')
  await page.getByRole('button', { name: 'Add an outside authority' }).click()
  await page.getByLabel('Name', { exact: true }).fill('partner')
  await page.getByLabel('It may speak for').fill('spiffe://partner.example/agents')
  await page.getByLabel('Its certificates (PEM)').fill(pem('CERTIFICATE'))
  const add = page.getByRole('button', { name: 'Add the authority' })
  assert.equal(await add.getAttribute('aria-disabled'), 'true')
  await page.getByLabel('It may speak for').fill('spiffe://partner.example/agents/')
  await add.click()
  await page.getByText('No list yet').waitFor()
  await page.getByRole('button', { name: 'Update its list: partner' }).click()
  await page.getByLabel('All its lists (PEM)').fill(pem('X509 CRL'))
  await page.getByRole('button', { name: 'Update the list' }).click()
  await page.getByText('No list yet').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Remove: partner' }).click()
  const remove = page.getByRole('button', { name: 'Remove the authority' })
  assert.equal(await remove.getAttribute('aria-disabled'), 'true')
  await page.getByLabel('Type partner to confirm').fill('partner')
  await remove.click()
  await page.getByRole('button', { name: 'Remove: partner' }).waitFor({ state: 'detached' })
  assert.deepEqual(wrong, [])
  await close()
})

test('what a change of serving does is said before it is done, and a failure changes nothing', async () => {
  const { page, wrong, close } = await at('typical', '/settings')
  await page.getByRole('button', { name: 'Change how it serves' }).click()
  const save = page.getByRole('button', { name: 'Serve like this' })
  const listen = page.getByLabel('Listens on')
  assert.equal(await save.getAttribute('aria-disabled'), 'true')
  await listen.fill('0.0.0.0:7443')
  await page.getByText('Without TLS it listens on this machine alone').waitFor()
  await page.getByRole('switch', { name: 'TLS' }).click()
  await page.getByLabel('Names by which agents reach it').fill('gw.acme.example')
  await page.getByRole('region', { name: 'What this does' }).getByText('hand it the CA file').waitFor()
  await listen.fill('0.0.0.0:80')
  await save.click()
  await page.getByText('Nothing changed: 0.0.0.0:80 cannot be had').waitFor()
  await listen.fill('0.0.0.0:7443')
  await save.click()
  await page.getByRole('banner').getByText('gw.acme.example:7443').waitFor()
  await page.getByText('The CA file to hand to clients').waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

const ofAdmin = (title) => ['/t/acme/agents', async (page) => {
  await page.getByRole('button', { name: 'admin-1', exact: true }).click()
  await otherWay(page, title)
}]

eachDialog(at, 'trust', {
  'outside-certificate': ofAdmin('Register a certificate'),
  authority: ['/t/acme/identity?tab=authorities', (page) => page.getByRole('button', { name: 'Add an outside authority' }).click()],
  list: ['/t/acme/identity?tab=authorities', (page) => page.getByRole('button', { name: 'Update its list: mesh' }).click()],
  serving: ['/settings', async (page) => {
    await page.getByRole('button', { name: 'Change how it serves' }).click()
    await page.getByRole('switch', { name: 'TLS' }).click()
    await page.getByLabel('Names by which agents reach it').fill('gw.acme.example')
  }],
})

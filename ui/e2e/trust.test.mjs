import assert from 'node:assert/strict'
import { test } from 'node:test'
import { disabled, eachDialog, gone, onTheMock, otherWay } from './browser.mjs'

const at = onTheMock()
const pem = (kind) => `-----BEGIN ${kind}-----\nMIIB\n-----END ${kind}-----`

test('the built-in issuer is switched on, rotates its keys, and says who is cut off when it is switched off', async () => {
  const { page, wrong, close } = await at('empty', '/t/acme/identity?tab=issuer')
  await page.getByRole('button', { name: 'Switch it on' }).click()
  await page.getByText('http://127.0.0.1:7411/t/acme/as/token').waitFor()
  await page.getByText('Signs next').waitFor()
  await page.getByRole('button', { name: 'Rotate now' }).click()
  await page.getByText('Signs no more').waitFor()
  await page.getByRole('combobox', { name: 'How long its tokens live' }).click()
  await page.getByRole('option', { name: 'Tokens live 5 min' }).click()
  await page.getByText('New tokens live for 5 min').waitFor()
  await page.getByRole('button', { name: 'Switch off' }).click()
  await page.getByText('Cut off: 0 clients.').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click()
  await page.getByRole('heading', { name: 'The built-in issuer is off' }).waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('a client is registered, its secret is shown once, and it stands in the list to be revoked', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/agents')
  await page.getByRole('button', { name: 'reader-1', exact: true }).click()
  await otherWay(page, 'Register a client of the built-in issuer')
  await page.getByRole('button', { name: 'Register the client' }).click()
  await page.getByText(/^csx_/).waitFor()
  await page.keyboard.press('Escape')
  await page.getByLabel('I have stored the secret').check()
  await page.getByRole('dialog', { name: 'The client of reader-1' }).getByRole('button', { name: 'Close' }).click()
  await gone(page.getByText(/^csx_/))
  await page.goto(`${page.url().split('#')[0]}#/t/acme/identity?tab=issuer`)
  const row = page.getByRole('table', { name: 'Clients of the built-in issuer' }).getByRole('row').filter({ hasText: 'reader-1' })
  await row.getByText('a secret').waitFor()
  await row.getByRole('button', { name: /Revoke client/ }).click()
  await page.getByRole('button', { name: 'Revoke the client' }).click()
  await row.getByText('Revoked').waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('an outside authority is added without a list, believed once it has one, and removed by its name', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/identity?tab=authorities')
  await page.getByRole('button', { name: 'Add an outside authority' }).click()
  await page.getByLabel('Name', { exact: true }).fill('partner')
  await page.getByLabel('It may speak for').fill('spiffe://partner.example/agents')
  await page.getByLabel('Its certificates (PEM)').fill(pem('CERTIFICATE'))
  const add = page.getByRole('button', { name: 'Add the authority' })
  await disabled(add)
  await page.getByLabel('It may speak for').fill('spiffe://partner.example/agents/')
  await add.click()
  await page.getByText('No list yet').waitFor()
  await page.getByRole('button', { name: 'Update its list: partner' }).click()
  await page.getByLabel('All its lists (PEM)').fill(pem('X509 CRL'))
  await page.getByRole('button', { name: 'Update the list' }).click()
  await page.getByText('No list yet').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Remove: partner' }).click()
  const remove = page.getByRole('button', { name: 'Remove the authority' })
  await disabled(remove)
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
  await disabled(save)
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
  client: ofAdmin('Register a client of the built-in issuer'),
  'client-shown': ['/t/acme/agents', async (page) => {
    await ofAdmin('Register a client of the built-in issuer')[1](page)
    await page.getByRole('button', { name: 'Register the client' }).click()
    await page.getByText(/^csx_/).waitFor()
  }],
  'outside-certificate': ofAdmin('Register a certificate'),
  authority: ['/t/acme/identity?tab=authorities', (page) => page.getByRole('button', { name: 'Add an outside authority' }).click()],
  list: ['/t/acme/identity?tab=authorities', (page) => page.getByRole('button', { name: 'Update its list: mesh' }).click()],
  serving: ['/settings', async (page) => {
    await page.getByRole('button', { name: 'Change how it serves' }).click()
    await page.getByRole('switch', { name: 'TLS' }).click()
    await page.getByLabel('Names by which agents reach it').fill('gw.acme.example')
  }],
})

/** What agents prove themselves with, and the reference matrix: made in the console, kept by the real core. */
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { request as insecure } from 'node:http'
import { request } from 'node:https'
import { after, before, test } from 'node:test'
import { open } from '../../ui/e2e/browser.mjs'
import { realCore } from './real-core.mjs'

const core = realCore()

before(async () => {
  await core.start({ freely: true })
  await core.ask('first_run', { name: 'Grace', passphrase: 'lantern oyster gravel quilt', starter: true, secrets: 'file' })
})
after(() => core.stop())

const initialize = JSON.stringify({
  jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
})

/** Posts to an endpoint of the gateway and tells the status. */
function post(url, body, headers = {}, tls = {}) {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? request : insecure
    const asked = send(url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }, ...tls }, (response) => {
      let text = ''
      response.on('data', (piece) => (text += piece))
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** What a dialog shows beside a title. */
const fact = (page, title) => page.getByRole('dialog').last().locator(`dt:text-is("${title}") + dd code`).innerText()

async function shown(page, file) {
  await page.getByRole('button', { name: `Show ${file}` }).click()
  return page.locator(`pre[aria-label="${file}"]`).innerText()
}

const at = (place) => `${core.url}/#/t/acme/${place}`

test('a client that was registered in the console gets tokens of the built-in issuer, until it is switched off', async () => {
  const { page, wrong, close } = await open(core.browser, at('identity?tab=issuer'))
  await page.getByRole('button', { name: 'Switch it on' }).click()
  await page.getByText('Signs next').waitFor()

  await page.goto(at('agents'))
  await page.getByRole('button', { name: 'reader-1', exact: true }).click()
  await page.getByRole('button', { name: 'Other ways' }).click()
  await page.getByRole('menuitem', { name: 'Register a client' }).click()
  await page.getByRole('button', { name: 'Register the client' }).click()
  await page.getByText('The secret is shown only now').waitFor()
  const [id, secret, tokens, endpoint] = [await fact(page, 'Client id'), await fact(page, 'Secret'), await fact(page, 'Token endpoint'), await fact(page, 'Endpoint')]

  const basic = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')
  const form = new URLSearchParams({ grant_type: 'client_credentials', resource: endpoint }).toString()
  const got = await post(tokens, form, { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${basic}` })
  assert.equal(got.status, 200, got.text)
  const bearer = { authorization: `Bearer ${JSON.parse(got.text).access_token}` }
  assert.equal((await post(endpoint, initialize, bearer)).status, 200)

  await page.getByLabel('I have stored the secret').check()
  await page.getByRole('dialog', { name: 'The client of reader-1' }).getByRole('button', { name: 'Close' }).click()
  await page.goto(at('identity?tab=issuer'))
  await page.getByRole('button', { name: 'Rotate now' }).click()
  await page.getByText('Signs no more').waitFor()
  assert.equal((await post(endpoint, initialize, bearer)).status, 200, 'a rotation refuses nothing')
  await page.getByRole('button', { name: 'Switch off' }).click()
  await page.getByText('Cut off: 1 client.').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click()
  await page.getByRole('heading', { name: 'The built-in issuer is off' }).waitFor()
  assert.equal((await post(endpoint, initialize, bearer)).status, 401)
  assert.deepEqual(wrong, [])
  await close()
})

test('a certificate that is issued in the console is what it says, and is revoked in its list', async () => {
  const { page, wrong, close } = await open(core.browser, at('agents'))
  await page.getByRole('button', { name: 'reader-1', exact: true }).click()
  await page.getByRole('button', { name: 'Other ways' }).click()
  await page.getByRole('menuitem', { name: 'Issue a certificate' }).click()
  await page.getByRole('button', { name: 'Issue the certificate' }).click()
  await page.getByText('The private key is shown only now').waitFor()
  const [spiffe, serial, key] = [await fact(page, 'SPIFFE ID'), await fact(page, 'Serial number'), await shown(page, 'reader-1.key')]
  const certificate = new X509Certificate(await shown(page, 'reader-1.pem'))
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)))
  assert.equal(certificate.subjectAltName, `URI:${spiffe}`)
  assert.equal(certificate.serialNumber.toLowerCase(), serial.toLowerCase())
  await page.getByLabel('I have stored the private key').check()
  await page.getByRole('dialog', { name: 'The certificate of reader-1' }).getByRole('button', { name: 'Close' }).click()

  await page.goto(at('identity?tab=authorities'))
  const authority = new X509Certificate(await shown(page, 'acme-agents.pem'))
  assert.ok(certificate.verify(authority.publicKey), 'the authority that is shown issued it')
  await page.goto(at('identity?tab=certificates'))
  await page.getByRole('button', { name: `Revoke certificate ${serial}` }).click()
  await page.getByRole('button', { name: 'Revoke the certificate' }).click()
  await page.getByText('No certificate is valid now').waitFor()
  assert.ok(!(await page.content()).includes('PRIVATE KEY'))
  assert.deepEqual(wrong, [])
  await close()
})

test('the reference matrix is saved to a file that is there', async () => {
  const { page, wrong, close } = await open(core.browser, at('reference?q=read_file'))
  await page.getByText('4 of 32 rows').waitFor()
  await page.getByRole('button', { name: /read_file .* for reader/ }).click()
  await page.getByRole('button', { name: 'Change what read_file needs' }).click()
  await page.getByLabel('Scopes').fill('files:read')
  await page.getByRole('textbox', { name: 'Data system', exact: true }).fill('File share')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('table', { name: 'Reference matrix' }).getByText('File share').first().waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  await page.getByRole('button', { name: 'Save to a file' }).click()
  const path = await page.getByRole('status').filter({ hasText: 'Saved as' }).locator('code').innerText()
  assert.match(await readFile(path, 'utf8'), /"read_file","yes","reader","allow","","","files:read","no","File share"/)
  assert.deepEqual(wrong, [])
  await close()
})

test('TLS is turned on in the settings, and a certificate from the page of an agent lets it in until it is revoked', async () => {
  const { page, wrong, close } = await open(core.browser, `${core.url}/#/settings`)
  await page.getByRole('button', { name: 'Change how it serves' }).click()
  await page.getByRole('switch', { name: 'TLS' }).click()
  await page.getByLabel('Names by which agents reach it').fill('localhost')
  await page.getByRole('button', { name: 'Serve like this' }).click()
  await page.getByText('The CA file to hand to clients').waitFor()

  await page.goto(at('agents'))
  await page.getByRole('button', { name: 'reader-1', exact: true }).click()
  await page.getByRole('button', { name: 'Other ways' }).click()
  await page.getByRole('menuitem', { name: 'Issue a certificate' }).click()
  await page.getByRole('button', { name: 'Issue the certificate' }).click()
  await page.getByText('The private key is shown only now').waitFor()
  assert.equal(await page.getByText('The gateway serves without TLS now').count(), 0)
  const [endpoint, serial] = [await fact(page, 'Endpoint'), await fact(page, 'Serial number')]
  const tls = { key: await shown(page, 'reader-1.key'), cert: await shown(page, 'reader-1.pem'), ca: await shown(page, 'countersign.pem'), agent: false }
  assert.equal((await post(endpoint, initialize, {}, tls)).status, 200)
  assert.equal((await post(endpoint, initialize, {}, { ca: tls.ca, agent: false })).status, 401, 'nobody is let in without it')
  await page.getByLabel('I have stored the private key').check()
  await page.getByRole('dialog', { name: 'The certificate of reader-1' }).getByRole('button', { name: 'Close' }).click()

  await page.goto(at('identity?tab=certificates'))
  await page.getByRole('button', { name: `Revoke certificate ${serial}` }).click()
  await page.getByRole('button', { name: 'Revoke the certificate' }).click()
  await page.getByText('No certificate is valid now').waitFor()
  const refused = await post(endpoint, initialize, {}, tls).then(({ status }) => status, (error) => error.code)
  assert.notEqual(refused, 200)
  assert.deepEqual(wrong, [])
  await close()
})

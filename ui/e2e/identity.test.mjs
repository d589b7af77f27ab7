import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { onTheMock, overflowing, seriousProblems, settled, shots } from './browser.mjs'

const at = onTheMock()

const otherWay = async (page, title) => {
  await page.getByRole('button', { name: 'Other ways' }).click()
  await page.getByRole('menuitem', { name: title }).click()
}

test('an identity provider is added by discovery, with its rules shown before anything is kept', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/identity?new=1')
  const issuer = page.getByLabel('Issuer')
  assert.ok(await issuer.evaluate((field) => field === document.activeElement))
  await page.keyboard.type('http://127.0.0.1:8080/realms/x')
  const ask = page.getByRole('button', { name: 'Ask for its settings' })
  assert.equal(await ask.getAttribute('aria-disabled'), 'true')
  await page.getByRole('switch', { name: 'It is at a private address or on this machine' }).click()
  await page.getByText('connects to private addresses').waitFor()
  await ask.click()
  await page.getByText('HS256 is offered too and was left out').waitFor()
  await page.getByLabel('Name', { exact: true }).fill('local')
  await page.getByRole('checkbox', { name: 'ES384' }).check()
  await page.getByRole('switch', { name: 'Ask its introspection endpoint (RFC 7662)' }).click()
  const add = page.getByRole('button', { name: 'Add the provider' })
  assert.equal(await add.getAttribute('aria-disabled'), 'true')
  await page.getByLabel('Introspection endpoint', { exact: true }).fill('http://127.0.0.1:8080/introspect')
  await page.getByLabel('Client id').fill('countersign')
  await page.getByRole('combobox', { name: 'Secret' }).click()
  await page.getByRole('option', { name: 'mail_password' }).click()
  await add.click()
  const detail = page.getByRole('dialog', { name: 'Identity provider local' })
  await detail.getByText('private addresses are allowed').waitFor()
  await detail.getByText('ES256, EdDSA, PS256, RS256, ES384').waitFor()
  assert.match(page.url(), /provider=idp_/)
  assert.deepEqual(wrong, [])
  await close()
})

test('a token is tested masked, each check is told, and nothing of it is left', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/identity')
  await page.getByRole('button', { name: 'Test a token' }).click()
  const field = page.getByLabel('Token', { exact: true })
  assert.equal(await field.evaluate((area) => getComputedStyle(area).webkitTextSecurity), 'disc')
  await field.fill('eyJ-very-secret-audience')
  await page.getByRole('button', { name: 'Check it' }).click()
  await page.getByRole('heading', { name: 'It would be refused: 1 check fails' }).waitFor()
  await page.getByRole('listitem').filter({ hasText: 'Fails' }).getByText('another endpoint').waitFor()
  assert.ok(await page.getByRole('status', { name: 'Result' }).evaluate((result) => result === document.activeElement))
  await field.fill('eyJ-very-secret')
  await page.getByRole('button', { name: 'Check it' }).click()
  await page.getByRole('heading', { name: 'It would be accepted' }).waitFor()
  await page.getByRole('link', { name: 'analyst-1' }).waitFor()
  await page.keyboard.press('Escape')
  await field.waitFor({ state: 'detached' })
  const left = await page.evaluate(() => document.documentElement.outerHTML + location.href + JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))
  assert.ok(!left.includes('very-secret'))
  await page.getByRole('button', { name: 'Test a token' }).click()
  assert.equal(await field.inputValue(), '')
  assert.deepEqual(wrong, [])
  await close()
})

test('a provider is removed, and a tenant cut off, only after the name was typed', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/identity')
  await page.getByRole('button', { name: 'okta', exact: true }).click()
  await page.getByRole('button', { name: 'Remove the provider' }).click()
  const dialog = page.getByRole('dialog', { name: 'Remove okta?' })
  await dialog.getByText('the credentials of its 1 subject').waitFor()
  const remove = dialog.getByRole('button', { name: 'Remove the provider' })
  assert.equal(await remove.getAttribute('aria-disabled'), 'true')
  await dialog.getByLabel('Type okta to confirm').fill('okta')
  await remove.click()
  await page.getByRole('button', { name: 'okta', exact: true }).waitFor({ state: 'detached' })

  await page.getByRole('tab', { name: 'Revocations' }).click()
  await page.getByRole('button', { name: 'Revoke everything of…' }).click()
  await page.getByText('Of tenant acme').click()
  const all = page.getByRole('button', { name: 'Revoke everything', exact: true })
  await page.getByLabel('Reason').fill('The laptop was stolen')
  assert.equal(await all.getAttribute('aria-disabled'), 'true')
  await page.getByLabel('Type acme to confirm').fill('acme')
  await all.click()
  await page.getByText(/Everything of acme is revoked: \d+ credentials/).waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('a key of an issuer is revoked from its provider, and stands in the list with its reason', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/identity')
  await page.getByRole('button', { name: 'okta', exact: true }).click()
  await page.getByRole('button', { name: 'Revoke key k-2026-10' }).click()
  await page.getByLabel('Reason').fill('Rotated out')
  await page.getByRole('dialog', { name: 'Revoke', exact: true }).getByRole('button', { name: 'Revoke', exact: true }).click()
  await page.getByText('Everything that key k-2026-10 of https://acme.okta.com/oauth2/default has signed is revoked').first().waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('tab', { name: 'Revocations' }).click()
  await page.getByRole('row').filter({ hasText: 'Rotated out' }).getByText('k-2026-10').waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('who was turned away leads to the events behind it', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/identity?tab=authentication')
  await page.getByRole('table', { name: 'Authentication by method' }).getByText('Signed API key').waitFor()
  const row = page.getByRole('table', { name: 'Failures by reason' }).getByRole('row').nth(1)
  const reason = await row.locator('code').first().innerText()
  await row.getByRole('link').click()
  await page.waitForURL(new RegExp(`kind=access&q=${reason}`))
  await page.getByRole('list', { name: 'Events, newest first' }).getByText('Not accepted').first().waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('an external identity is registered, a tool gets scopes, and the matrix is exported with them', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/agents')
  await page.getByRole('button', { name: 'reader-1', exact: true }).click()
  await otherWay(page, 'Register an external identity')
  await page.getByLabel('Subject').fill('0oa-reader')
  await page.getByLabel('Only from these networks').fill('10.0.0.0/8')
  await page.getByRole('button', { name: 'Register', exact: true }).click()
  await page.getByText('0oa-reader').waitFor()
  await page.getByText('at okta').waitFor()

  await page.goto(`${page.url().split('#')[0]}#/t/acme/matrix`)
  await page.getByRole('button', { name: 'Change what read_file needs' }).click()
  await page.getByLabel('Scopes').fill('files:read')
  await page.getByLabel('Data system').fill('File share')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('files:read').waitFor()
  await page.getByRole('button', { name: 'Export' }).click()
  await page.getByText('reader,workbench,read_file,allow,files:read,File share').waitFor()
  await page.getByText('Identity provider', { exact: true }).click()
  await page.getByText('"name": "files:read"').waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('a certificate is issued by keys alone, its private key is shown once, and it stands in the list to be revoked', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/agents')
  await page.getByRole('button', { name: 'reader-1', exact: true }).click()
  await page.getByRole('button', { name: 'Other ways' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('menuitem', { name: 'Issue a certificate' }).waitFor()
  await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'menuitem')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: /certificate/ })
  await dialog.getByRole('button', { name: 'Issue the certificate' }).focus()
  await page.keyboard.press('Enter')
  await dialog.getByText('The private key is shown only now').waitFor()
  assert.ok(!(await page.content()).includes('BEGIN PRIVATE KEY'), 'the key is covered until it is asked for')
  await dialog.getByRole('button', { name: 'Show reader-1.key' }).click()
  await dialog.getByText('BEGIN PRIVATE KEY').waitFor()
  await page.keyboard.press('Escape')
  await dialog.getByLabel('I have stored the private key').check()
  await dialog.getByRole('button', { name: 'Close' }).click()
  assert.ok(!(await page.content()).includes('BEGIN PRIVATE KEY'))

  await page.goto(`${page.url().split('#')[0]}#/t/acme/identity?tab=certificates`)
  const row = page.getByRole('table', { name: 'Certificates of agents' }).getByRole('row').filter({ hasText: 'reader-1' })
  await row.getByRole('button', { name: /Revoke certificate/ }).click()
  await page.getByRole('button', { name: 'Revoke the certificate' }).click()
  await row.waitFor({ state: 'detached' })
  assert.deepEqual(wrong, [])
  await close()
})

test('the reference matrix is filtered, a tool of it gets scopes, and it is saved to a file', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/reference')
  const table = page.getByRole('table', { name: 'Reference matrix' })
  assert.equal(await table.getAttribute('aria-rowcount'), '33')
  await page.getByLabel('Words in the tool, role, scope or data system').fill('read_file')
  await page.getByText('Granted', { exact: true }).click()
  await page.waitForURL(/q=read_file.*grant=granted|grant=granted.*q=read_file/)
  await page.getByText('4 of 32 rows').waitFor()
  await table.getByRole('button', { name: /read_file .* for reader/ }).click()
  await page.getByRole('button', { name: 'Change what read_file needs' }).click()
  await page.getByLabel('Scopes').fill('files:read')
  await page.getByRole('textbox', { name: 'Data system', exact: true }).fill('File share')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await table.getByText('File share').first().waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  await page.getByRole('button', { name: 'Save to a file' }).click()
  await page.getByText('/exports/acme-matrix.csv').waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('a reference matrix of 100,000 rows draws only what is in sight', async () => {
  const { page, wrong, close } = await at('crowded', '/t/acme/reference')
  const table = page.getByRole('table', { name: 'Reference matrix' })
  assert.ok(Number(await table.getAttribute('aria-rowcount')) > 100_000)
  assert.ok((await table.getByRole('row').count()) < 80)
  await table.evaluate((one) => one.scrollTo(0, one.scrollHeight))
  await page.waitForFunction(() => [...document.querySelectorAll('[role=row]')].some((row) => Number(row.getAttribute('aria-rowindex')) > 100_000))
  assert.deepEqual(wrong, [])
  await close()
})

const dialogs = {
  provider: ['/t/acme/identity', (page) => page.getByRole('button', { name: 'keycloak', exact: true }).click()],
  rules: ['/t/acme/identity', async (page) => {
    await page.getByRole('button', { name: 'keycloak', exact: true }).click()
    await page.getByRole('button', { name: 'Change its rules' }).click()
  }],
  test: ['/t/acme/identity', async (page) => {
    await page.getByRole('button', { name: 'Test a token' }).click()
    await page.getByLabel('Token', { exact: true }).fill('audience')
    await page.getByRole('button', { name: 'Check it' }).click()
    await page.getByRole('list', { name: 'Checks, in order' }).waitFor()
  }],
  everything: ['/t/acme/identity?tab=revocations', async (page) => {
    await page.getByRole('button', { name: 'Revoke everything of…' }).click()
    await page.getByText('Of tenant acme').click()
  }],
  agent: ['/t/acme/agents', (page) => page.getByRole('button', { name: 'admin-1', exact: true }).click()],
  registration: ['/t/acme/agents', async (page) => {
    await page.getByRole('button', { name: 'admin-1', exact: true }).click()
    await otherWay(page, 'Register an external identity')
  }],
  certificate: ['/t/acme/agents', async (page) => {
    await page.getByRole('button', { name: 'admin-1', exact: true }).click()
    await otherWay(page, 'Issue a certificate')
    await page.getByText('The agent’s own key').click()
  }],
  issued: ['/t/acme/agents', async (page) => {
    await page.getByRole('button', { name: 'admin-1', exact: true }).click()
    await otherWay(page, 'Issue a certificate')
    await page.getByRole('button', { name: 'Issue the certificate' }).click()
    await page.getByText('Files for the agent').waitFor()
  }],
  tool: ['/t/acme/reference', async (page) => {
    await page.getByRole('button', { name: /send_email .* for reader/ }).click()
    await page.getByRole('button', { name: 'Change what send_email needs' }).click()
  }],
  export: ['/t/acme/matrix', (page) => page.getByRole('button', { name: 'Export', exact: true }).click()],
}

for (const scheme of ['light', 'dark']) {
  for (const [name, [path, act]] of Object.entries(dialogs)) {
    test(`the dialog of ${name} (${scheme}) fits at 1024 x 700, takes the focus and has no serious accessibility problem`, async () => {
      const { page, wrong, close } = await at('typical', path, { scheme, width: 1024, height: 700 })
      await act(page)
      const dialog = page.getByRole('dialog').last()
      await dialog.waitFor()
      await page.waitForFunction(() => document.activeElement?.closest('[role=dialog]'))
      await settled(page)
      await page.screenshot({ path: join(shots, `identity-dialog-${name}-${scheme}.png`) })
      assert.deepEqual(await overflowing(page), [])
      assert.deepEqual(await seriousProblems(page), [])
      assert.ok(await dialog.evaluate((one) => one.scrollWidth <= one.clientWidth + 1), 'the dialog is too wide')
      assert.deepEqual(wrong, [])
      await close()
    })
  }
}

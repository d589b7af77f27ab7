import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counts, disabled, eachDialog, focused, gone, onTheMock, overflowing, settled } from './browser.mjs'

const at = onTheMock()
const rows = (page) => page.getByRole('table', { name: 'Credentials' }).locator('tbody tr')

test('credentials are filtered and sorted in the address, and back leads back', async () => {
  const { page, wrong, close } = await at('hoard', '/t/acme/credentials')
  await counts(rows(page), 100)
  await page.getByRole('button', { name: 'Show more' }).click()
  await counts(rows(page), 200)
  await page.getByRole('group', { name: 'State' }).getByRole('button', { name: /^Overlapping/ }).click()
  await page.waitForURL(/stage=overlapping/)
  await page.getByRole('status').getByText(/^(\d+) of \1 shown$/).waitFor()
  await page.getByLabel('Words in the key id').fill('worker-12')
  await page.waitForURL(/q=worker-12/)
  await page.getByRole('button', { name: 'Age', exact: true }).click()
  await page.waitForURL(/sort=created/)
  await page.getByRole('columnheader', { name: 'Age', exact: true }).and(page.locator('[aria-sort=ascending]')).waitFor()
  await page.getByRole('button', { name: 'Age', exact: true }).click()
  await page.getByRole('columnheader', { name: 'Age', exact: true }).and(page.locator('[aria-sort=descending]')).waitFor()
  await page.getByLabel('Words in the key id').fill('nobody-has-this')
  await page.getByRole('heading', { name: 'None like that' }).waitFor()
  await page.getByRole('button', { name: 'Clear the filters' }).click()
  await counts(rows(page), 100)
  assert.deepEqual(wrong, [])
  await close()
})

test('the list is walked and opened by keys alone', async () => {
  const { page, wrong, close } = await at('aged', '/t/acme/overview')
  await page.keyboard.press('g')
  await page.keyboard.press('c')
  await page.waitForURL(/\/credentials$/)
  const [first, second] = [page.locator('[data-row]').nth(0), page.locator('[data-row]').nth(1)]
  await first.focus()
  await page.keyboard.press('j')
  await focused(second)
  await page.keyboard.press('k')
  await page.keyboard.press('ArrowDown')
  await focused(second)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Credential' }).waitFor()
  assert.match(page.url(), /credential=crd_/)
  await page.keyboard.press('Escape')
  await gone(page.getByRole('dialog'))
  await focused(second)
  await page.keyboard.press('Control+k')
  await page.keyboard.type('90 days')
  await page.keyboard.press('Enter')
  await page.waitForURL(/tab=calendar/)
  assert.deepEqual(wrong, [])
  await close()
})

test('a key is replaced, its replacement is taken back, and it is ended at once with its secret shown once', async () => {
  const { page, wrong, close } = await at('aged', '/t/acme/credentials?stage=active&q=worker-01')
  await rows(page).first().click()
  const drawer = page.getByRole('dialog', { name: 'Credential' })
  await drawer.getByRole('button', { name: 'Replace…' }).click()
  await page.getByText('Nobody is cut off.').waitFor()
  await focused(page.getByRole('button', { name: 'Leave it' }))
  await page.getByRole('button', { name: 'Replace it' }).click()
  await drawer.getByRole('button', { name: 'Take the replacement back…' }).click()
  await page.getByRole('region', { name: 'Who is cut off' }).getByText('1 agent goes on with another credential').waitFor()
  await page.getByRole('button', { name: 'Take it back' }).click()
  await drawer.getByRole('button', { name: 'Replace now…' }).click()
  await page.getByRole('region', { name: 'Who is cut off' }).getByText('1 agent cut off').waitFor()
  await page.getByRole('button', { name: 'End it now' }).click()
  const once = page.getByRole('dialog', { name: 'The new key' })
  const secret = await once.getByText(/^css_/).innerText()
  await page.keyboard.press('Escape')
  await page.keyboard.press('g')
  await once.getByText(secret).waitFor()
  await disabled(once.getByRole('button', { name: 'Close' }))
  await once.getByLabel('I have stored the secret').check()
  await once.getByRole('button', { name: 'Close' }).click()
  await gone(page.getByText(secret))
  const left = await page.evaluate(() => document.documentElement.outerHTML + location.href + JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))
  assert.ok(!left.includes(secret))
  assert.deepEqual(wrong, [])
  await close()
})

test('all keys of the tenant are replaced piece by piece, after the preview', async () => {
  const { page, wrong, close } = await at('hoard', '/t/acme/credentials?bulk=rotate')
  await page.getByText('Of tenant acme').click()
  const preview = page.getByRole('region', { name: 'What is replaced' })
  await preview.getByText('Nobody is cut off.').waitFor()
  await preview.getByText(/being replaced already, and \d+ credentials of other kinds/).waitFor()
  await page.getByRole('button', { name: /^Replace \d+ keys$/ }).click()
  await gone(page.getByRole('dialog'))
  await page.getByText(/\d+ keys replaced: the new ones wait for their holders/).waitFor()
  await page.getByRole('group', { name: 'State' }).getByRole('button', { name: /^Not fetched/ }).click()
  await page.waitForURL(/stage=waiting/)
  assert.deepEqual(wrong, [])
  await close()
})

test('everything of the tenant is revoked only after everybody who is cut off was listed', async () => {
  const { page, wrong, close } = await at('aged', '/t/acme/credentials?bulk=revoke')
  await page.getByText('Of tenant acme').click()
  const who = page.getByRole('region', { name: 'Who is cut off' })
  await who.getByText(/^\d+ agents cut off/).waitFor()
  await who.getByRole('cell', { name: 'worker-01' }).waitFor()
  await disabled(page.getByRole('dialog').getByRole('button', { name: 'Revoke everything' }))
  assert.deepEqual(wrong, [])
  await close()
})

test('the calendar is walked by arrows, a day narrows it, and leads to the credential', async () => {
  const { page, wrong, close } = await at('aged', '/t/acme/credentials?tab=calendar')
  const today = page.getByRole('button', { name: /^Today, / })
  await today.focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await page.waitForURL(/day=\d{4}-\d\d-\d\d/)
  await page.getByRole('button', { name: 'All days' }).waitFor()
  const happens = page.getByRole('region', { name: 'What happens' })
  await happens.getByRole('listitem').first().getByRole('button').click()
  await page.getByRole('dialog', { name: 'Credential' }).waitFor()
  assert.match(page.url(), /credential=crd_/)
  assert.deepEqual(wrong, [])
  await close()
})

test('each point of the posture leads to what is to be mended', async () => {
  const { page, wrong, close } = await at('aged', '/t/acme/credentials?tab=posture')
  const fault = page.getByRole('region', { name: 'Never used since its issue' })
  await fault.getByText('Revoke it, unless its agent is about to be put to work.').waitFor()
  const key = await fault.getByText(/^csk_/).first().innerText()
  await fault.getByRole('button').first().click()
  await page.getByRole('dialog', { name: 'Credential' }).getByText(key).waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('credentials live longer only with an owner’s passphrase', async () => {
  const { page, wrong, close } = await at('aged', '/t/acme/credentials?tab=lifecycle')
  await page.getByRole('button', { name: 'Change', exact: true }).click()
  await focused(page.getByLabel('Lasts at most'))
  await page.keyboard.type('30 d')
  const save = page.getByRole('button', { name: 'Save' })
  await disabled(save)
  await page.getByLabel('An owner’s passphrase', { exact: true }).fill('wrong')
  await save.click()
  await page.getByRole('alert').getByText(/passphrase/).first().waitFor()
  await page.getByLabel('An owner’s passphrase', { exact: true }).fill('correct horse battery')
  await save.click()
  await page.getByRole('table', { name: 'In force' }).getByText('this tenant').first().waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('housekeeping that stands still is told on every page, and goes on after somebody has looked', async () => {
  const { page, wrong, close } = await at('halted', '/t/acme/matrix')
  const banner = page.getByRole('alert').filter({ hasText: 'Housekeeping stands still' })
  await banner.getByRole('button', { name: 'What to do…' }).click()
  const go = page.getByRole('button', { name: 'Go on' })
  await disabled(go)
  await page.getByLabel('I have looked').check()
  await go.click()
  await gone(banner)
  assert.deepEqual(wrong, [])
  await close()
})

test('a long name and a long id stay inside the list at any width', async () => {
  for (const width of [1024, 1280, 1920]) {
    const { page, wrong, close } = await at('hoard', '/t/acme/credentials', { width, height: 900 })
    await settled(page)
    assert.deepEqual(await overflowing(page), [], String(width))
    const table = page.getByRole('table', { name: 'Credentials' })
    assert.ok(await table.evaluate((one) => one.scrollWidth <= one.parentElement.clientWidth + 1), `the table is too wide at ${width}`)
    assert.deepEqual(wrong, [])
    await close()
  }
})

const row = (name) => async (page) => {
  await page.locator('[data-row]').first().click()
  await page.getByRole('button', { name }).click()
}

eachDialog(at, 'credentials', {
  'replace-all': ['/t/acme/credentials?bulk=rotate', (page) => page.getByText('Of tenant acme').click(), 'hoard'],
  'revoke-all': ['/t/acme/credentials?bulk=revoke', (page) => page.getByText('Of tenant acme').click(), 'hoard'],
  replace: ['/t/acme/credentials?stage=active&q=worker', row('Replace…'), 'aged'],
  'end-now': ['/t/acme/credentials?stage=active&q=worker', row('Replace now…'), 'aged'],
  'take-back': ['/t/acme/credentials?stage=overlapping', row('Take the replacement back…'), 'aged'],
  revoke: ['/t/acme/credentials?stage=unused', row('Revoke…'), 'aged'],
  'go-on': ['/t/acme/credentials?tab=lifecycle', (page) => page.getByRole('button', { name: 'What to do…' }).first().click(), 'halted'],
})

/** The interface in a browser, on the real core over the test bridge: no mock, no window. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { launch, open, overflowing, settled } from '../../ui/e2e/browser.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const built = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug')
const passphrase = 'lantern oyster gravel quilt'

let browser
let bridge
let home
let url

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'countersign-'))
  await chmod(home, 0o700)
  const words = ['--home', home, '--dist', join(root, 'ui/dist'), '--executable', join(built, 'countersign')]
  bridge = spawn(join(built, 'countersign-test-bridge'), words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: bridge.stdout }), 'line')
  url = line
  browser = await launch()
})

after(async () => {
  await browser?.close()
  bridge?.kill()
  await rm(home, { recursive: true, force: true })
})

async function ask(command, args = {}) {
  const response = await fetch(`${url}/ipc/${command}`, { method: 'POST', body: JSON.stringify(args) })
  const answer = await response.json()
  assert.ok(response.ok, `${command}: ${JSON.stringify(answer)}`)
  return answer
}

test('a newcomer sets the console up and finds the starter on every page', async () => {
  const { page, wrong, close } = await open(browser, url)
  await page.getByLabel('Your name').fill('Grace')
  await page.getByLabel('Passphrase', { exact: true }).fill(passphrase)
  await page.getByLabel('Passphrase again').fill(passphrase)
  await page.getByRole('button', { name: 'Set up' }).click()
  await page.getByRole('button', { name: /Unlocked by Grace/ }).waitFor({ timeout: 60_000 })
  await page.waitForURL(/#\/t\/acme\/overview$/)
  for (const place of ['overview', 'approvals', 'matrix', 'tasks', 'agents', 'servers', 'sessions', 'audit']) {
    await page.goto(`${url}/#/t/acme/${place}`)
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
  const { page, wrong, close } = await open(browser, `${url}/#/t/acme/matrix`)
  await page.getByRole('grid').waitFor()
  const cell = page.getByRole('gridcell').first()
  await cell.click()
  assert.ok(await page.getByRole('grid').evaluate((grid) => grid === document.activeElement), 'a click gives the keys to the grid')
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
  const { page, close } = await open(browser, `${url}/#/t/acme/audit`)
  await page.getByText(/may now call|may call .* once|with a signature|token/i).first().waitFor()
  await close()
})

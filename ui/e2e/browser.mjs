/** Serves a build under the app's own content security policy and drives Chromium over it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createServer } from 'node:http'
import { readFile, mkdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('..', import.meta.url))
export const shots = join(root, 'screenshots-out')

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const policy = Object.entries(JSON.parse(await readFile(join(root, 'src/app/csp.json'), 'utf8')))
  .map(([name, value]) => `${name} ${value}`)
  .join('; ')

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

export async function serve(folder) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://x').pathname)
    const file = join(root, folder, path === '/' ? 'index.html' : path)
    const found = existsSync(file) ? file : join(root, folder, 'index.html')
    response.setHeader('content-security-policy', policy)
    response.setHeader('content-type', types[extname(found)] ?? 'application/octet-stream')
    response.end(await readFile(found))
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}

const system = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))

export async function launch() {
  await mkdir(shots, { recursive: true })
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? system, args: ['--no-sandbox'] })
}

/**
 * A page that remembers what went wrong in it: errors, and what the policy forbade. The clock of
 * a `young` one, which counts from its beginning, stays in the first second however long it took.
 */
export async function open(browser, url, { scheme = 'light', width = 1280, height = 800, young = false } = {}) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height }, reducedMotion: 'reduce' })
  const page = await context.newPage()
  if (young) {
    await page.addInitScript(() => {
      const now = performance.now.bind(performance)
      performance.now = () => now() / 1_000
    })
  }
  const wrong = []
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.text().includes('Content Security Policy')) wrong.push(`console: ${message.text()}`)
  })
  await page.goto(url)
  return { page, wrong, close: () => context.close() }
}

/** Opens pages of the mock build, in one browser for all tests of a file. */
export function onTheMock() {
  let browser
  let site
  before(async () => {
    site = await serve('dist-mock')
    browser = await launch()
  })
  after(async () => {
    await browser?.close()
    site?.close()
  })
  return async (size, path, options) => {
    const opened = await open(browser, `${site.url}/?mock=${size}#${path}`, options)
    await settled(opened.page)
    return opened
  }
}

/** Waits until nothing loads any more and the screen was painted. */
export async function settled(page) {
  await page.waitForSelector('h1, h2')
  await page.locator('[data-waiting]').first().waitFor({ state: 'detached' })
  await page.evaluate(() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 150)))
}

/** Waits until a control is refused: what a key or a click does shows a moment later. */
export const disabled = (control) => control.and(control.page().locator('[aria-disabled=true]')).waitFor()

/** Waits until something has the keys. */
export const focused = (one) => one.and(one.page().locator(':focus')).waitFor()

/** Waits until nothing of it is there. */
export const gone = (all) => all.first().waitFor({ state: 'detached' })

/** Waits until there are so many. */
export async function counts(all, wanted) {
  const until = Date.now() + 10_000
  while ((await all.count()) !== wanted) {
    assert.ok(Date.now() < until, `there are ${await all.count()}, not ${wanted}`)
    await all.page().waitForTimeout(20)
  }
}

/** What sticks out of the window, by a short description. */
export const overflowing = (page) =>
  page.evaluate(() => {
    const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth ? ['the window scrolls sideways'] : []
    const content = document.querySelector('#content')
    if (content && content.scrollWidth > content.clientWidth + 1) wide.push(`the page is ${content.scrollWidth - content.clientWidth} px too wide`)
    const strip = document.querySelector('header')
    if (strip && strip.scrollWidth > strip.clientWidth + 1) wide.push(`the strip is ${strip.scrollWidth - strip.clientWidth} px too wide`)
    return wide
  })

/** What a person who does not see or point would stumble over, by rule and place. */
export async function seriousProblems(page) {
  // Evaluated by the driver, which the page's policy does not bind.
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  return violations
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(' | ')}`)
}

/** Opens one of the other ways in which an agent can prove itself, on the page of the agent. */
export async function otherWay(page, title) {
  await page.getByRole('button', { name: 'Other ways' }).click()
  await page.getByRole('menuitem', { name: title }).click()
}

/** Opens each dialog in light and dark: it must fit, take the focus, and be usable without sight. */
export function eachDialog(at, area, dialogs) {
  for (const scheme of ['light', 'dark']) {
    for (const [name, [path, act, size = 'typical']] of Object.entries(dialogs)) {
      test(`the dialog of ${name} (${scheme}) fits at 1024 x 700, takes the focus and has no serious accessibility problem`, async () => {
        const { page, wrong, close } = await at(size, path, { scheme, width: 1024, height: 700 })
        await act(page)
        const dialog = page.getByRole('dialog').last()
        await dialog.waitFor()
        await page.waitForFunction(() => document.activeElement?.closest('[role=dialog]'))
        await settled(page)
        await page.screenshot({ path: join(shots, `${area}-dialog-${name}-${scheme}.png`) })
        assert.deepEqual(await overflowing(page), [])
        assert.deepEqual(await seriousProblems(page), [])
        assert.ok(await dialog.evaluate((one) => one.scrollWidth <= one.clientWidth + 1), 'the dialog is too wide')
        assert.deepEqual(wrong, [])
        await close()
      })
    }
  }
}

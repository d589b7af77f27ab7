/** Series of approvals: signing one on the card, and those that run. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { onTheMock, overflowing, seriousProblems, settled, shots } from './browser.mjs'

const at = onTheMock()

const toTheForm = async (page) => {
  await page.getByRole('option').nth(2).click()
  await settled(page)
  await page.getByRole('button', { name: 'Approve a series…' }).click()
}

// Where there is little room, the series are one line until somebody looks.
const withArguments = async (page, nth) => {
  await page.getByText(/series run/).click()
  await page.getByText('with which arguments').nth(nth).click()
}

const steps = [
  { name: 'card', path: '/decide', size: 'typical', act: async (page) => page.getByRole('option').nth(2).click() },
  { name: 'form', path: '/decide', size: 'typical', act: toTheForm },
  { name: 'loosened', path: '/decide', size: 'typical', act: async (page) => {
    await toTheForm(page)
    await page.getByRole('combobox', { name: /may differ/ }).first().selectOption('any')
  } },
  { name: 'folded', path: '/t/acme/approvals', size: 'typical', act: (page) => page.getByText(/series run/).waitFor() },
  { name: 'running', path: '/t/acme/approvals', size: 'typical', act: (page) => withArguments(page, 0) },
  { name: 'crowded', path: '/t/acme/approvals', size: 'crowded', act: (page) => withArguments(page, 1) },
]

for (const scheme of ['light', 'dark']) {
  for (const { name, path, size, act } of steps) {
    test(`series: ${name} (${scheme}) fits at 1024 x 700 and has no serious accessibility problem`, async () => {
      const { page, wrong, close } = await at(size, path, { scheme, width: 1024, height: 700 })
      page.setDefaultTimeout(8_000)
      try {
        await act(page)
        await settled(page)
      } finally {
        await page.screenshot({ path: join(shots, `series-${name}-${scheme}.png`) })
      }
      assert.deepEqual(await overflowing(page), [])
      assert.deepEqual(await seriousProblems(page), [])
      assert.deepEqual(wrong, [])
      await close()
    })
  }
}

test('a series is signed on the card, seen running, and taken back', async () => {
  const { page, close } = await at('typical', '/decide', { scheme: 'light', width: 1280, height: 800 })
  page.setDefaultTimeout(8_000)
  await toTheForm(page)
  const body = page.getByRole('region', { name: 'The whole call' })
  await body.evaluate((element) => element.scrollTo(0, element.scrollHeight))
  await page.waitForTimeout(2_000)
  await page.getByRole('button', { name: 'Approve and sign the series' }).click()
  await settled(page)
  await page.evaluate(() => { location.hash = '#/t/acme/approvals' })
  await page.getByText('0 of 9 made').waitFor()
  await page.getByRole('button', { name: /Revoke the series of 9 calls/ }).click()
  await page.getByText('0 of 9 made').waitFor({ state: 'detached' })
  await close()
})

/** Who approves: on the page of a tool, of an agent and in the settings, and on the card of a call. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { onTheMock, overflowing, seriousProblems, settled, shots } from './browser.mjs'

const at = onTheMock()

const steps = [
  { name: 'card', path: '/decide', size: 'typical', act: (page) => page.getByText('Who has to sign').scrollIntoViewIfNeeded() },
  { name: 'glass', path: '/decide', size: 'typical', act: (page) => page.getByRole('button', { name: /Break the glass/ }).click() },
  { name: 'objection', path: '/decide', size: 'typical', act: async (page) => { await page.getByRole('option').nth(1).click(); await page.getByText('Who has to sign').scrollIntoViewIfNeeded() } },
  { name: 'decided', path: '/t/acme/approvals?state=decided', size: 'typical', act: (page) => page.getByText('Glass broken').first().click() },
  { name: 'ahead', path: '/t/acme/approvals?state=decided', size: 'typical', act: openAhead },
  { name: 'ahead-look', path: '/t/acme/approvals?state=decided', size: 'typical', act: async (page) => {
    await openAhead(page)
    await lookAhead(page)
  } },
  { name: 'ahead-signed', path: '/t/acme/approvals?state=decided', size: 'typical', act: async (page) => {
    await openAhead(page)
    await lookAhead(page)
    await page.getByRole('button', { name: 'Sign it ahead', disabled: false }).click()
    await page.getByText('The token is shown only now.').scrollIntoViewIfNeeded()
  } },
  { name: 'tool', path: '/t/acme/servers', size: 'typical', act: async (page) => {
    await page.getByRole('button', { name: 'workbench', exact: true }).click()
    await settled(page)
    await page.getByRole('button', { name: /send_email/ }).first().click()
    await page.getByRole('button', { name: 'Change who approves calls of send_email' }).click()
    await page.getByRole('button', { name: 'Cancel' }).scrollIntoViewIfNeeded()
  } },
  { name: 'effects', path: '/t/acme/servers', size: 'typical', act: async (page) => {
    await page.getByRole('button', { name: 'workbench', exact: true }).click()
    await settled(page)
    await page.getByRole('button', { name: /send_email/ }).first().click()
    await page.getByRole('button', { name: 'Mark what send_email can do' }).click()
    await page.getByRole('button', { name: 'Cancel' }).scrollIntoViewIfNeeded()
  } },
  { name: 'agent', path: '/t/acme/agents', size: 'typical', act: async (page) => {
    await page.getByText('executor-1').first().click()
    await page.getByRole('region', { name: 'Who answers for executor-1' }).getByRole('button').click()
  } },
  { name: 'groups', path: '/operators', size: 'crowded', act: (page) => page.getByLabel('New group').scrollIntoViewIfNeeded() },
]

// From the list of what was decided to the window that can sign, and to its form.
async function openAhead(page) {
  await page.getByRole('option').filter({ hasText: 'Nobody decided' }).first().click()
  await page.getByRole('button', { name: 'Sign a call ahead…' }).click()
  await settled(page)
  await page.getByRole('button', { name: 'Sign a call ahead…' }).click()
  await page.getByRole('button', { name: 'Look at it, then sign' }).scrollIntoViewIfNeeded()
}

// To its second step, and to the end of what is shown there, until it can be signed.
async function lookAhead(page) {
  await page.getByRole('button', { name: 'Look at it, then sign' }).click()
  await page.getByRole('region', { name: 'The whole call to sign' }).evaluate((one) => one.scrollTo(0, one.scrollHeight))
  await page.getByText('Your signature covers exactly this call, once.').waitFor()
}

test('o11 however long a call is that is signed ahead, it can be signed only at its end, and its token stays in sight', async () => {
  const { page, close } = await at('typical', '/t/acme/approvals?state=decided', { width: 1024, height: 700 })
  page.setDefaultTimeout(8_000)
  await openAhead(page)
  await page.getByLabel('With exactly these arguments').fill(JSON.stringify({ content: 'one more line\n'.repeat(80), path: 'a.txt' }))
  await page.getByRole('button', { name: 'Look at it, then sign' }).click()
  await page.getByText('Scroll to the end of the call first').first().waitFor()
  await page.waitForTimeout(1_000)
  assert.equal(await page.getByRole('button', { name: 'Sign it ahead' }).getAttribute('aria-disabled'), 'true')
  await page.getByRole('region', { name: 'The whole call to sign' }).evaluate((one) => one.scrollTo(0, one.scrollHeight))
  await page.getByText('Your signature covers exactly this call, once.').waitFor()
  await page.getByRole('button', { name: 'Sign it ahead' }).click()
  const last = page.getByText('The token is shown only now.')
  await last.waitFor()
  assert.ok(await last.evaluate((one) => {
    const { left, bottom } = one.getBoundingClientRect()
    return document.elementFromPoint(left + 2, bottom - 2) === one
  }), 'the end of what is told is in sight')
  await page.screenshot({ path: join(shots, 'signing-ahead-long-light.png') })
  await close()
})

for (const scheme of ['light', 'dark']) {
  for (const { name, path, size, act } of steps) {
    test(`who approves: ${name} (${scheme}) fits at 1024 x 700 and has no serious accessibility problem`, async () => {
      const { page, wrong, close } = await at(size, path, { scheme, width: 1024, height: 700 })
      page.setDefaultTimeout(8_000)
      try {
        await act(page)
        await settled(page)
      } finally {
        await page.screenshot({ path: join(shots, `signing-${name}-${scheme}.png`) })
      }
      assert.deepEqual(await overflowing(page), [])
      assert.deepEqual(await seriousProblems(page), [])
      assert.deepEqual(wrong, [])
      await close()
    })
  }
}

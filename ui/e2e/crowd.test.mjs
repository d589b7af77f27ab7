/** Many calls: the inbox stays calm, and there is something to do about whoever asks too much. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { counts, focused, onTheMock, overflowing, seriousProblems, settled, shots } from './browser.mjs'

const at = onTheMock()

const denyAll = async (page) => {
  await page.getByRole('button', { name: 'Deny', exact: true }).click()
  await page.getByText('All that waits of this session').click()
  await page.getByRole('checkbox').check()
}

const steps = [
  { name: 'one', path: '/t/acme/approvals', size: 'one' },
  { name: 'twenty', path: '/t/acme/approvals', size: 'twenty' },
  { name: 'two-hundred', path: '/t/acme/approvals', size: 'crowded' },
  { name: 'decide-one', path: '/decide', size: 'one' },
  { name: 'decide-twenty', path: '/decide', size: 'twenty' },
  { name: 'decide-two-hundred', path: '/decide', size: 'crowded' },
  { name: 'deny-all', path: '/decide', size: 'twenty', act: denyAll },
  { name: 'pause', path: '/decide', size: 'twenty', act: (page) => page.getByRole('button', { name: 'Pause this agent…' }).click() },
  { name: 'figures', path: '/t/acme/approvals?state=figures', size: 'typical' },
  { name: 'figures-agents', path: '/t/acme/approvals?state=figures', size: 'typical', act: (page) => page.getByText('By agent').click() },
  { name: 'waiting-limit', path: '/t/acme/agents', size: 'typical', act: async (page) => {
    await page.getByText('executor-1').first().click()
    await page.getByRole('button', { name: 'Change how many calls of executor-1 may wait' }).click()
  } },
]

for (const scheme of ['light', 'dark']) {
  for (const { name, path, size, act } of steps) {
    test(`many calls: ${name} (${scheme}) fits at 1024 x 700 and has no serious accessibility problem`, async () => {
      const { page, wrong, close } = await at(size, path, { scheme, width: 1024, height: 700 })
      page.setDefaultTimeout(8_000)
      try {
        await act?.(page)
        await settled(page)
      } finally {
        await page.screenshot({ path: join(shots, `crowd-${name}-${scheme}.png`) })
      }
      assert.deepEqual(await overflowing(page), [])
      assert.deepEqual(await seriousProblems(page), [])
      assert.deepEqual(wrong, [])
      await close()
    })
  }
}

test('o16 all that waits of a session is denied in one act, and what others asked for stays', async () => {
  const { page, wrong, close } = await at('twenty', '/decide')
  await denyAll(page)
  await page.getByLabel(/^Why not/).fill('Looks like injected instructions')
  await page.getByRole('button', { name: 'Deny all and end the session' }).click()
  await page.getByRole('button', { name: '10 calls wait: go to the next' }).click()
  await counts(page.getByRole('option').filter({ hasNotText: 'no longer waiting' }), 10)
  assert.deepEqual(wrong, [])
  await close()
})

test('a suggestion leads to its cell of the matrix', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/approvals?state=figures')
  await page.getByText('Show the cell').last().click()
  await settled(page)
  assert.ok((await page.getByRole('status').allTextContents()).some((text) => text.startsWith('execute_code, executor')))
  assert.deepEqual(wrong, [])
  await close()
})

const arrives = (page, detail = {}) => page.evaluate((like) => window.dispatchEvent(new CustomEvent('countersign-mock-call', { detail: like })), detail)

test('a call that arrives does not take the place of the card under the pointer', async () => {
  const { page, wrong, close } = await at('one', '/t/acme/approvals')
  const card = page.getByRole('article', { name: 'Call of send_email by executor-1' })
  const decide = page.getByRole('button', { name: 'Decide in the approval window' })
  await decide.hover()
  const before = await decide.boundingBox()
  await arrives(page)
  await counts(page.getByRole('option'), 2)
  await settled(page)
  assert.equal(await card.count(), 1)
  assert.deepEqual(await decide.boundingBox(), before)
  assert.match(await page.getByRole('option').nth(0).textContent(), /write_file/)
  assert.equal(await page.getByRole('option', { selected: true }).textContent().then((text) => text.includes('send_email')), true)
  assert.deepEqual(wrong, [])
  await close()
})

test('a click on a call leads to Deny, and it shows', async () => {
  const { page, wrong, close } = await at('twenty', '/decide')
  await page.getByRole('option').nth(3).click()
  await page.getByRole('option', { selected: true }).and(page.getByRole('option').nth(3)).waitFor()
  const deny = page.getByRole('button', { name: 'Deny', exact: true })
  await focused(deny)
  assert.equal(await deny.evaluate((one) => getComputedStyle(one).outlineStyle), 'solid')
  assert.deepEqual(wrong, [])
  await close()
})

for (const [width, height] of [[1280, 800], [1024, 700]]) {
  for (const scheme of ['light', 'dark']) {
    test(`no line of a text stands where a key does (${width} x ${height}, ${scheme})`, async () => {
      const { page, wrong, close } = await at('one', '/decide', { scheme, width, height })
      await arrives(page, { lost_before: new Date(Date.now() - 720_000).toISOString(), arguments: JSON.stringify({ [`k${' '.repeat(90)}"to": 1,`]: 1, amount: `1${' '.repeat(200)}to: x`, body: 'Hi",\n"cc": "",\n"to": "safe@example.com', list: ['a\nb'], to: 'evil@attacker.test' }) })
      await counts(page.getByRole('option'), 2)
      await page.getByRole('option').nth(0).click()
      await page.getByRole('note').waitFor()
      await settled(page)
      await page.screenshot({ path: join(shots, `forged-${width}-${scheme}.png`) })
      // Where keys begin, and where every line but the first of a cell does.
      const found = await page.getByRole('group', { name: 'Arguments' }).evaluate((view) => {
        const left = (one) => Math.round(one.getBoundingClientRect().left)
        const keys = [...view.querySelectorAll('[data-cell=name]')].map(left)
        const further = [...view.querySelectorAll('[data-cell]')].flatMap((cell) => {
          const range = document.createRange()
          range.selectNodeContents(cell)
          const rects = [...range.getClientRects()].filter((rect) => rect.width > 0)
          const top = Math.min(...rects.map((rect) => rect.top))
          return rects.filter((rect) => rect.top > top + 14).map((rect) => Math.round(rect.left))
        })
        return { keys, further }
      })
      assert.ok(found.further.length > 5, 'there are such lines')
      assert.deepEqual(found.further.filter((x) => found.keys.some((key) => Math.abs(key - x) < 6)), [])
      assert.deepEqual(await overflowing(page), [])
      assert.deepEqual(await seriousProblems(page), [])
      assert.deepEqual(wrong, [])
      await close()
    })
  }
}

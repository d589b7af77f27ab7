import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counts, disabled, focused, gone, onTheMock } from './browser.mjs'

const at = onTheMock()

test('the first run makes an owner and leads to the overview with the next steps', async () => {
  const { page, wrong, close } = await at('first-run', '/')
  const begin = page.getByRole('button', { name: 'Set up' })
  await page.getByLabel('Your name').fill('Grace')
  await page.getByLabel('Passphrase', { exact: true }).fill('short')
  await disabled(begin)
  await page.getByLabel('Passphrase', { exact: true }).fill('lantern oyster gravel quilt')
  await page.getByLabel('Passphrase again').fill('lantern oyster gravel quilt')
  await begin.click()
  await page.getByRole('heading', { name: 'Next steps' }).waitFor()
  await page.getByRole('button', { name: /Unlocked by Grace/ }).waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('a locked console shows nothing but its state and the unlock form', async () => {
  const { page, close } = await at('locked', '/t/acme/matrix')
  assert.equal(await page.getByRole('grid').count(), 0)
  assert.equal(await page.getByRole('navigation').count(), 0)
  await page.getByText('127.0.0.1:7411').waitFor()
  await page.getByLabel('Passphrase', { exact: true }).fill('wrong')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').getByText(/cor_/).waitFor()
  await page.getByLabel('Passphrase', { exact: true }).fill('correct horse battery')
  await page.keyboard.press('Enter')
  await page.getByRole('grid').waitFor()
  await close()
})

test('the matrix is changed by keys alone, and the strip says which version is enforced', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/matrix')
  const grid = page.getByRole('grid')
  await grid.focus()
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key)
  await page.locator('[data-active][role=gridcell][aria-label=Token]').waitFor()
  await page.keyboard.press('d')
  await page.getByRole('status').filter({ hasText: /version\s*13/ }).waitFor()
  await page.locator('[data-active][role=gridcell][aria-label=Deny]').waitFor()
  await page.getByRole('status').filter({ hasText: 'enforced' }).filter({ hasText: /version\s+13/ }).waitFor()
  // Quick changes each name the version before them.
  for (const key of ['a', 't', 'd']) await page.keyboard.press(key)
  await page.getByRole('status').filter({ hasText: /version\s*16/ }).waitFor()
  await page.locator('[data-active][role=gridcell][aria-label=Deny]').waitFor()
  assert.equal(await page.getByRole('alert').count(), 0)
  assert.deepEqual(wrong, [])
  await close()
})

test('a cell is set by a key in the first second of a window, where no shortcut can have begun', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/matrix', { young: true })
  await page.getByRole('gridcell').first().click()
  await page.keyboard.press('t')
  await page.getByRole('status').filter({ hasText: /version\s*13/ }).waitFor()
  await page.locator('[data-active][role=gridcell][aria-label=Token]').waitFor()
  assert.match(page.url(), /\/matrix$/)
  assert.deepEqual(wrong, [])
  await close()
})

test('many cells are changed only after a preview', async () => {
  const { page, close } = await at('typical', '/t/acme/matrix')
  await page.getByRole('grid').focus()
  for (const key of ['Home', 'Shift+ArrowDown', 'Shift+ArrowDown', 'Shift+ArrowRight']) await page.keyboard.press(key)
  await page.keyboard.press('d')
  const dialog = page.getByRole('dialog', { name: 'Set 6 cells to Deny' })
  await dialog.getByText('5 cells would change').waitFor()
  assert.match(await page.getByRole('status').filter({ hasText: 'enforced' }).innerText(), /version\s+12/)
  await dialog.getByRole('button', { name: 'Change 5 cells' }).click()
  await page.getByRole('status').filter({ hasText: /version\s*13/ }).waitFor()
  await close()
})

test('a cell is given a condition in its panel, says so, and loses it again', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/matrix')
  const grid = page.getByRole('grid')
  await grid.focus()
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'a']) await page.keyboard.press(key)
  await page.getByRole('button', { name: 'Set a condition' }).click()
  const schema = page.getByLabel('They satisfy')
  await schema.fill('{"properties":')
  await page.getByText('This is not JSON yet').waitFor()
  await schema.fill('{"properties":{"path":{"pattern":"^notes/"}}}')
  await page.getByRole('button', { name: 'Enforce' }).click()
  await grid.getByRole('gridcell', { name: 'Allow, on a condition' }).waitFor()
  await page.getByRole('button', { name: 'Change the condition' }).waitFor()
  await page.getByRole('button', { name: 'Remove it' }).click()
  await page.getByText('For all that fit').waitFor()
  await gone(grid.getByRole('gridcell', { name: 'on a condition' }))
  assert.deepEqual(wrong, [])
  await close()
})

test('the lens hatches what the task does not list, and stays in the address', async () => {
  const { page, close } = await at('typical', '/t/acme/matrix')
  await page.getByRole('combobox', { name: 'Task lens' }).click()
  await page.getByRole('option', { name: 'Task triage' }).click()
  await page.locator('[data-outside]').first().waitFor()
  await page.waitForURL(/lens=tsk_/)
  await counts(page.locator('[data-outside]'), 5 * 4)
  await page.reload()
  await page.locator('[data-outside]').first().waitFor()
  await close()
})

test('a matrix of 2,000 tools and 50 roles draws only what is in sight, also while it scrolls', async (t) => {
  const { page, wrong, close } = await at('crowded', '/t/acme/matrix', { width: 1280, height: 800 })
  assert.ok((await page.getByRole('gridcell').count()) < 700)
  const { frames, drawn } = await page.getByRole('grid').evaluate(async (grid) => {
    const times = []
    let most = 0
    let last = performance.now()
    for (let step = 0; step < 60; step += 1) {
      grid.scrollTop += 96
      grid.scrollLeft += 8
      await new Promise((done) => requestAnimationFrame(done))
      times.push(performance.now() - last)
      last = performance.now()
      most = Math.max(most, grid.querySelectorAll('[role=gridcell]').length)
    }
    return { frames: times.sort((a, b) => a - b), drawn: most }
  })
  assert.ok(drawn < 900, `${drawn} cells were drawn at a time`)
  // A figure for whoever looks, and no threshold: it tells as much of the machine as of the page.
  t.diagnostic(`a frame took ${Math.round(frames[30])} ms in the middle, ${Math.round(frames[59])} ms at most`)
  await page.getByRole('grid').focus()
  await page.keyboard.press('PageDown')
  // The row that it goes to is drawn once the grid has scrolled there.
  await page.locator('[data-active][role=gridcell]').waitFor()
  assert.equal(await page.locator('[data-active][role=gridcell]').count(), 1)
  const head = await page.getByRole('columnheader').first().boundingBox()
  const grid = await page.getByRole('grid').boundingBox()
  assert.ok(Math.abs(head.y - grid.y) < 3 && Math.abs(head.x - grid.x) < 3, 'the head and the first column stay put')
  assert.deepEqual(wrong, [])
  await close()
})

test('a call is approved in the approval window only after it was seen whole, and not by Enter', async () => {
  const { page, wrong, close } = await at('typical', '/decide')
  const approve = page.getByRole('button', { name: 'Approve and sign' })
  await focused(page.getByRole('button', { name: 'Deny' }))
  // The first two take more than one click: a reason and a passphrase, or somebody else.
  await page.getByRole('option').nth(2).click()
  await page.getByText('Your signature covers exactly this call, once.').or(page.getByText('Scroll to the end of the card first')).waitFor()
  await page.waitForTimeout(900)
  await disabled(approve)
  await page.getByRole('region', { name: 'The whole call' }).evaluate((body) => body.scrollTo(0, body.scrollHeight))
  await approve.and(page.locator(':not([aria-disabled])')).waitFor()
  await approve.focus()
  await page.keyboard.press('Enter')
  await page.waitForTimeout(150)
  await counts(page.getByRole('option'), 3)
  await page.keyboard.press('Space')
  await page.getByText('Executed').first().waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('the main window shows the call and decides nothing', async () => {
  const { page, close } = await at('typical', '/t/acme/approvals')
  await page.getByRole('group', { name: 'Arguments' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Approve and sign' }).count(), 0)
  await page.getByRole('button', { name: 'Decide in the approval window' }).click()
  await page.getByRole('button', { name: 'Approve and sign' }).waitFor()
  await close()
})

test('an agent is made and given a key, and the key is shown once', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/agents?new=1')
  await page.getByRole('dialog').getByLabel('Name').fill('night-shift')
  await page.getByRole('checkbox', { name: /reader/ }).check()
  await page.getByRole('checkbox', { name: /workbench/ }).check()
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  await page.getByRole('button', { name: 'Issue a key' }).click()
  await page.getByRole('button', { name: 'Issue the key' }).click()
  await page.getByText(/^css_/).waitFor()
  await page.keyboard.press('Escape')
  await page.getByText(/^css_/).waitFor()
  await page.getByLabel('I have stored the secret').check()
  await page.getByRole('dialog', { name: /The key of/ }).getByRole('button', { name: 'Close' }).click()
  await gone(page.getByText(/^css_/))
  assert.deepEqual(wrong, [])
  await close()
})

test('a server is added in steps, with the exact command shown before it runs', async () => {
  const { page, wrong, close } = await at('empty', '/t/acme/servers?new=1')
  await page.getByLabel('Name', { exact: true }).fill('files')
  await page.getByLabel('Command').fill('npx')
  await page.getByLabel('Arguments').fill("-y\n@modelcontextprotocol/server-filesystem\n/srv/it's here")
  await page.getByText("npx -y @modelcontextprotocol/server-filesystem '/srv/it'\\''s here'").waitFor()
  await page.getByRole('button', { name: 'Start it and ask for its tools' }).click()
  const add = page.getByRole('button', { name: /^Add with \d+ enabled$/ })
  const before = Number((await add.textContent()).match(/\d+/)[0])
  await page.getByRole('checkbox', { name: 'Enable send_email' }).uncheck()
  await page.getByRole('button', { name: `Add with ${before - 1} enabled`, exact: true }).click()
  await page.getByRole('heading', { name: 'files' }).waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('a registry in doubt is said on every page, and is accepted only on purpose', async () => {
  const { page, wrong, close } = await at('doubtful', '/t/acme/agents')
  await page.getByRole('alert').getByText('The registry is in doubt.').waitFor()
  await page.getByRole('button', { name: 'What to do…' }).click()
  const dialog = page.getByRole('dialog')
  const accept = dialog.getByRole('button', { name: 'Accept the registry' })
  await disabled(accept)
  await focused(dialog.getByRole('button', { name: 'Leave it in doubt' }))
  await dialog.getByLabel('I know how this registry came to be what it is').check()
  await accept.click()
  await page.getByText('The registry is in doubt.').waitFor({ state: 'detached' })
  await page.getByText('serving').first().waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('a tool whose schema is refused is left out, and says why', async () => {
  const { page, wrong, close } = await at('crowded', '/t/acme/servers?new=1')
  await page.getByLabel('Name', { exact: true }).fill('files')
  await page.getByLabel('Command').fill('npx')
  await page.getByRole('button', { name: 'Start it and ask for its tools' }).click()
  await page.getByText('a pattern in its input schema could take forever').waitFor()
  assert.equal(await page.getByRole('checkbox', { name: 'Enable modify_mcp_config' }).isChecked(), false)
  await page.getByRole('button', { name: /^Add with \d+ enabled$/ }).click()
  await page.getByRole('heading', { name: 'files' }).waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('filters of the audit log stand in the address, and back works', async () => {
  const { page, close } = await at('typical', '/t/acme/audit')
  await page.getByText('Refused', { exact: true }).first().click()
  await page.waitForURL(/decision=deny/)
  await page.getByRole('listitem').first().getByRole('button').click()
  await page.getByRole('dialog').getByText('The event as sealed').waitFor()
  assert.match(page.url(), /event=\d+/)
  await close()
})

test('every page is reached by the palette and by g with a letter', async () => {
  const { page, close } = await at('typical', '/t/acme/overview')
  await page.keyboard.press('Control+k')
  await page.keyboard.type('exec agent')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Agent executor-1' }).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('g')
  await page.keyboard.press('u')
  await page.getByRole('heading', { name: 'Audit', exact: true }).waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await close()
})

test('the tab key walks every page and the focus is always visible', async () => {
  for (const place of ['overview', 'approvals', 'matrix', 'reference', 'explain', 'tasks', 'agents', 'identity', 'servers', 'sessions', 'audit']) {
    const { page, close } = await at('typical', `/t/acme/${place}`)
    const seen = new Set()
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press('Tab')
      const focus = await page.evaluate(() => {
        const element = document.activeElement
        if (!element || element === document.body) return null
        const style = getComputedStyle(element)
        const shown = element.id === 'content' || element.type === 'radio' || element.type === 'checkbox' || (style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0)
        return { name: element.getAttribute('aria-label') ?? element.textContent?.slice(0, 40) ?? '', shown }
      })
      if (!focus) break
      assert.ok(focus.shown, `${place}: the focus on "${focus.name}" is not visible`)
      seen.add(focus.name)
    }
    assert.ok(seen.size > 12, `${place}: only ${seen.size} places take the focus`)
    await close()
  }
})

/** Why a call passes or does not, sessions as they shrink and end, and how often things may be called. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { disabled, onTheMock, overflowing, seriousProblems, shots } from './browser.mjs'

const at = onTheMock()

async function pick(page, label, option) {
  await page.getByRole('combobox', { name: label, exact: true }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
}

test('an agent, a task and a tool are picked, and the step that decides is named', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/explain')
  await page.getByText('Pick an agent and a tool').waitFor()
  await pick(page, 'Agent', 'executor-1')
  await pick(page, 'Tool', 'workbench/write_file')
  const outcome = page.getByRole('status', { name: 'What would become of the call' })
  await outcome.getByText('The session declared no task, so it may call nothing.').waitFor()
  await pick(page, 'Task', 'workbench')
  await outcome.getByText('Each such call waits until an operator countersigns it.').waitFor()
  await page.waitForURL(/agent=agt_.*task=tsk_|task=tsk_.*agent=agt_/)
  const steps = page.getByRole('list', { name: 'Steps, in the order of the gateway' })
  await steps.getByRole('listitem').filter({ hasText: 'Countersignature' }).getByText('Asks a person').waitFor()
  await pick(page, 'Tool', 'workbench/access_secrets')
  await steps.getByRole('listitem').filter({ hasText: 'Grant of a role' }).getByText('Refuses').waitFor()
  await steps.getByText('Not reached').first().waitFor()
  await page.getByLabel('Arguments').fill('{"a":')
  await page.getByText('This is not JSON').waitFor()
  await disabled(page.getByRole('button', { name: 'Explain with these arguments' }))
  assert.deepEqual(wrong, [])
  await close()
})

test('a live session shows what it has lost, and why, and is ended and released on purpose', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/sessions')
  const table = page.getByRole('table', { name: 'Sessions' })
  await table.getByText(/\d+ min( \d+ s)?/).first().waitFor()
  const row = table.getByRole('row').filter({ hasText: 'End now' }).first()
  const agent = (await row.getByRole('cell').first().innerText()).trim()
  await row.getByRole('button', { name: 'End now' }).click()
  const dialog = page.getByRole('dialog', { name: `End the session of ${agent}?` })
  await dialog.getByText('is suspended until you release it').waitFor()
  await dialog.getByRole('button', { name: 'End the session' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByLabel('Ended ones too').check()
  const over = table.getByRole('row').filter({ hasText: 'Ended by an operator' })
  await over.getByRole('button', { name: 'Release' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Release it' }).click()
  await over.getByRole('button', { name: 'Release' }).waitFor({ state: 'detached' })
  assert.deepEqual(wrong, [])
  await close()
})

test('an agent gets a limit, which is shown, and loses it', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/agents')
  await page.getByRole('button', { name: 'reader-1', exact: true }).click()
  const limit = page.getByRole('region', { name: 'How often reader-1 may be called' })
  await limit.getByText('No limit').waitFor()
  await limit.getByRole('button', { name: 'Set a limit for reader-1' }).click()
  await limit.getByLabel('Calls').fill('0')
  await limit.getByText('Between 1 and 100,000 calls').waitFor()
  await disabled(limit.getByRole('button', { name: 'Save' }))
  await limit.getByLabel('Calls').fill('120')
  await limit.getByRole('button', { name: 'Save' }).click()
  await limit.getByText('At most 120 calls per minute, of any tool').waitFor()
  await limit.getByRole('button', { name: 'Lift the limit of reader-1' }).click()
  await limit.getByText('No limit').waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

const looks = {
  explained: async (page) => {
    await pick(page, 'Agent', 'executor-1')
    await pick(page, 'Task', 'workbench')
    await pick(page, 'Tool', 'workbench/write_file')
    await page.getByRole('list', { name: 'Steps, in the order of the gateway' }).waitFor()
  },
  refused: async (page) => {
    await pick(page, 'Agent', 'reader-1')
    await pick(page, 'Task', 'workbench')
    await pick(page, 'Tool', 'workbench/send_email')
    await page.getByText('Not reached').first().waitFor()
  },
}

for (const scheme of ['light', 'dark']) {
  for (const [name, act] of Object.entries(looks)) {
    test(`explain, ${name} (${scheme}): nothing overflows and nothing is serious for accessibility`, async () => {
      const { page, wrong, close } = await at('typical', '/t/acme/explain', { scheme, width: 1024, height: 700 })
      await act(page)
      await page.screenshot({ path: join(shots, `explain-${name}-${scheme}.png`), fullPage: true })
      assert.deepEqual(await overflowing(page), [])
      assert.deepEqual(await seriousProblems(page), [])
      assert.deepEqual(wrong, [])
      await close()
    })
  }
  test(`a session in detail (${scheme})`, async () => {
    const { page, wrong, close } = await at('typical', '/t/acme/sessions', { scheme, width: 1024, height: 700 })
    await page.getByRole('table', { name: 'Sessions' }).getByRole('row').nth(1).getByRole('button').first().click()
    await page.getByRole('dialog').getByText('Frozen allowlist').waitFor()
    await page.screenshot({ path: join(shots, `sessions-detail-${scheme}.png`) })
    assert.deepEqual(await overflowing(page), [])
    assert.deepEqual(await seriousProblems(page), [])
    assert.deepEqual(wrong, [])
    await close()
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { disabled, onTheMock } from './browser.mjs'

const at = onTheMock()

test('an alert is opened from the overview, acknowledged with a note, and gone from the open ones', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/overview')
  const rail = page.getByRole('navigation', { name: 'Pages' })
  const open = Number(await rail.getByTitle(/open/).innerText())
  await page.getByRole('region', { name: 'Last anomalies' }).getByText(/made 5 or more attempts/).click()
  await page.getByRole('heading', { name: 'Events behind it' }).waitFor()
  const acknowledge = page.getByRole('button', { name: 'Acknowledge' })
  await disabled(acknowledge)
  await page.getByLabel('Note').fill('a drill of ours')
  await acknowledge.click()
  await page.getByRole('dialog').getByText('a drill of ours').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('table', { name: 'Alerts' }).waitFor()
  await page.getByRole('table', { name: 'Alerts' }).getByText('Incident', { exact: true }).waitFor({ state: 'detached' })
  await rail.getByTitle(/open/).and(rail.getByText(String(open - 1), { exact: true })).waitFor()
  await page.getByLabel('Acknowledged ones too').check()
  await page.getByRole('table', { name: 'Alerts' }).getByText('Incident: many attempts in one session').waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

test('a rule is set and muted, and the table says so', async () => {
  const { page, wrong, close } = await at('typical', '/t/acme/alerts?tab=rules')
  await page.getByRole('button', { name: /Incident: many attempts/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Attempts that are an incident').fill('1')
  await disabled(dialog.getByRole('button', { name: 'Save' }))
  await dialog.getByLabel('Attempts that are an incident').fill('3')
  await dialog.getByText('8 h', { exact: true }).click()
  await dialog.getByLabel('Why').fill('maintenance')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('3 or more attempts outside the allowlist in one session').waitFor()
  await page.getByTitle('maintenance').waitFor()
  assert.deepEqual(wrong, [])
  await close()
})

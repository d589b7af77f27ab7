import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'

const root = fileURLToPath(new URL('..', import.meta.url))
const filesOf = async (folder) => {
  const assets = await readdir(join(root, folder, 'assets'))
  return Promise.all(assets.map(async (name) => ({ name, text: await readFile(join(root, folder, 'assets', name), 'utf8') })))
}
const signs = ['countersign-mock', 'correct horse battery', 'Ada Lindgren']

test('the mock build has the backend inside the page', async () => {
  const files = await filesOf('dist-mock')
  for (const sign of signs) assert.ok(files.some((file) => file.text.includes(sign)), sign)
})

test('the production build has none of it', async () => {
  for (const { name, text } of await filesOf('dist')) {
    for (const sign of signs) assert.ok(!text.includes(sign), `${name} holds "${sign}"`)
  }
})

test('d01 the production page has no inline script or style and loads nothing from elsewhere', async () => {
  const page = await readFile(join(root, 'dist/index.html'), 'utf8')
  assert.doesNotMatch(page, /<style|style="|<script(?![^>]*src=)|\son\w+=/)
  for (const [, address] of page.matchAll(/(?:src|href)="([^"]+)"/g)) assert.match(address, /^(?:\/assets\/|data:,$)/)
})

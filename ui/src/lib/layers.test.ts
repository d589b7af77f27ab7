import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'

const root = join(process.cwd(), 'src')

function sources(folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /\.tsx?$/.test(entry.name) ? [relative(root, path)] : []
  })
}

const files = sources().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
const imports = (text: string) => [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, name]) => name ?? '')
const feature = (name: string) => /(?:^|@\/)features\/([^/]+)/.exec(name)?.[1]

test('a feature never imports another feature, nor the frame around it', () => {
  for (const { path, text } of files.filter((file) => file.path.startsWith('features/'))) {
    for (const name of imports(text)) {
      expect(name.startsWith('@/app/'), `${path} imports ${name}`).toBe(false)
      expect(feature(name) ?? feature(path), `${path} imports ${name}`).toBe(feature(path))
      expect(name.startsWith('../'), `${path} imports ${name}`).toBe(false)
    }
  }
})

test('components and the library know no feature', () => {
  for (const { path, text } of files.filter((file) => /^(components|lib|ipc)\//.test(file.path) && !file.path.includes('.test.'))) {
    for (const name of imports(text)) expect(feature(name), `${path} imports ${name}`).toBeUndefined()
  }
})

test('d03 only the door to the backend knows Tauri', () => {
  for (const { path, text } of files.filter((file) => !file.path.startsWith('ipc/'))) {
    for (const name of imports(text)) expect(name.startsWith('@tauri-apps/'), `${path} imports ${name}`).toBe(false)
  }
})

test('u05 no file can turn text into markup', () => {
  for (const { path, text } of files.filter((file) => !file.path.includes('.test.'))) {
    expect(/dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/.exec(text), path).toBeNull()
  }
})

test('files stay short enough to read', () => {
  const written = files.filter(({ path }) => !path.endsWith('ipc/generated.ts'))
  for (const { path, text } of written) expect(text.split('\n').length, path).toBeLessThan(500)
})

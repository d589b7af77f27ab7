/** The interface in a browser, on the real core over the test bridge: no mock, no window. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { launch } from '../../ui/e2e/browser.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const built = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug')

/** A core with a home of its own and a browser to look at it. */
export function realCore() {
  const core = {
    /** Starts both. `freely`: the console decides how the gateway serves. */
    async start({ freely = false } = {}) {
      core.home = await mkdtemp(join(tmpdir(), 'countersign-'))
      await chmod(core.home, 0o700)
      const words = ['--home', core.home, '--dist', join(root, 'ui/dist'), '--executable', join(built, 'countersign'), ...(freely ? ['--listen', 'as-set'] : [])]
      core.bridge = spawn(join(built, 'countersign-test-bridge'), words, { stdio: ['ignore', 'pipe', 'inherit'] })
      const [line] = await once(createInterface({ input: core.bridge.stdout }), 'line')
      core.url = line
      core.browser = await launch()
    },
    async stop() {
      await core.browser?.close()
      core.bridge?.kill()
      await rm(core.home, { recursive: true, force: true })
    },
    /** Asks the core for something, as a window does. */
    async ask(command, args = {}) {
      const response = await fetch(`${core.url}/ipc/${command}`, { method: 'POST', body: JSON.stringify(args) })
      const answer = await response.json()
      assert.ok(response.ok, `${command}: ${JSON.stringify(answer)}`)
      return answer
    },
  }
  return core
}

import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    // Nothing may be inlined as a data: URL except what the content security policy names.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
  },
  server: { port: 5173, strictPort: true, proxy: { '/ipc': 'http://127.0.0.1:7499', '/events': 'http://127.0.0.1:7499' } },
  test: {
    environment: 'jsdom',
    setupFiles: ['./src/lib/test-setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    css: false,
    // For a machine that does other things too: a test that passes takes a fraction of it.
    testTimeout: 30_000,
  },
})

import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './app/theme.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/App'
import { intoHash } from './app/address'
import { keepMockSize } from './ipc/mock/size'

if (import.meta.env.MODE === 'mock') keepMockSize(location.search)

// A window may be opened on `/decide?...`; inside, every address stands behind the `#`.
const hashed = intoHash(location)
if (hashed !== null) history.replaceState(null, '', hashed)

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}

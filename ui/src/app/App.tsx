import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider, useQueryClient } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect } from 'react'
import { ConfirmDialog } from '@/components/confirm'
import { onChange } from '@/ipc/events'
import { toIpcError } from '@/ipc/failure'
import { refresh } from '@/ipc/queries'
import { router } from './router'
import { theme } from './theme'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && toIpcError(error).code === 'unavailable',
    },
  },
})

export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={client}>
        <News />
        <RouterProvider router={router} />
        <ConfirmDialog />
        <Notifications position="bottom-right" limit={4} />
      </QueryClientProvider>
    </MantineProvider>
  )
}

// Listens for what changed for as long as the window lives.
function News() {
  const queryClient = useQueryClient()
  useEffect(() => onChange((change) => refresh(queryClient, change)), [queryClient])
  return null
}

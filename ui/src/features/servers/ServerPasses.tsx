import { Stack, Switch } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { confirm } from '@/components/confirm'
import { tellDone, tellFailed } from '@/components/notices'
import { useTenant } from '@/components/tenant'
import { call } from '@/ipc/call'
import type { Pass, ServerView } from '@/ipc/generated'

/** What may pass between a server and the people and models behind an agent: nothing, unless it is switched on. */
export function ServerPasses({ server }: { server: ServerView }) {
  const tenant = useTenant()
  const queryClient = useQueryClient()
  const set = useMutation({
    mutationFn: (passes: Pass[]) => call('server_set_passes', { tenant: tenant.id, server: server.id, passes }),
    onSuccess: async () => {
      tellDone(`What passes of ${server.name} is changed`)
      await queryClient.invalidateQueries()
    },
    onError: tellFailed,
  })
  const turn = (pass: Pass, on: boolean) => {
    const others = server.passes.filter((one) => one !== pass)
    if (!on) return set.mutate(others)
    confirm({
      title: `Let ${words[pass].noun} of ${server.name} pass?`,
      body: words[pass].risk,
      action: 'Let it pass',
      run: () => set.mutateAsync([...others, pass]),
    })
  }
  return (
    <Stack gap="md" maw={720}>
      <p className="dim">Off, the server is told that agents cannot do this; what it sends nevertheless is refused and put on record.</p>
      {order.map((pass) => (
        <Switch
          key={pass}
          label={words[pass].label}
          description={words[pass].means}
          checked={server.passes.includes(pass)}
          disabled={set.isPending}
          onChange={(event) => turn(pass, event.currentTarget.checked)}
        />
      ))}
    </Stack>
  )
}

const order: Pass[] = ['elicitation', 'sampling', 'roots', 'ui']

// A record, so that a new switch does not compile until it has its words.
const words: Record<Pass, { label: string; noun: string; means: string; risk: string }> = {
  elicitation: {
    label: 'Questions to the user',
    noun: 'questions to the user',
    means: 'The server may ask the person who uses the agent for something, while it serves a call.',
    risk: 'Whoever runs the server can put words before the people who use your agents. Forms that ask for passwords or keys are refused, and so are addresses without https.',
  },
  sampling: {
    label: 'Use of the model',
    noun: 'use of the model',
    means: "The server may have the agent's model write something, at the agent's cost.",
    risk: "Whoever runs the server can put a prompt before the agent's model and reads what it answers. Tools are never offered along with it.",
  },
  roots: {
    label: 'Workspace folders',
    noun: 'the list of workspace folders',
    means: 'The server may ask which folders the agent works in.',
    risk: 'Whoever runs the server learns the paths of the folders that the agent works in, not what is in them.',
  },
  ui: {
    label: 'Pages of its own',
    noun: 'pages',
    means: 'The server may bring pages along (ui://) that the agent’s host shows beside a result.',
    risk: 'Such a page is a program of the server in the window of the person. What it calls is judged as any other call of the agent.',
  },
}

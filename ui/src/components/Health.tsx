import type { ServerView } from '@/ipc/generated'
import { Mark, type Tone } from './Mark'

const word: Record<ServerView['health'], string> = { idle: 'Idle', starting: 'Starting', ready: 'Ready', failing: 'Failing' }
const tone: Record<ServerView['health'], Tone> = { idle: 'plain', starting: 'plain', ready: 'good', failing: 'bad' }

/** How a server is. */
export function HealthMark({ server }: { server: Pick<ServerView, 'health' | 'problem' | 'enabled'> }) {
  if (!server.enabled) return <Mark tone="plain">Off</Mark>
  return (
    <Mark tone={tone[server.health]} {...(server.problem ? { title: server.problem } : {})}>
      {word[server.health]}
    </Mark>
  )
}

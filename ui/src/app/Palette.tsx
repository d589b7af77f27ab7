import { Modal, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useMemo, useState, type KeyboardEvent } from 'react'
import { call } from '@/ipc/call'
import { agentList, matrix, tenantList } from '@/ipc/queries'
import { IconSearch } from '@/components/icons'
import { tellFailed } from '@/components/notices'
import { Untrusted } from '@/components/Untrusted'
import { addressOf, allPlaces } from './navigation'
import css from './Palette.module.css'

type Entry = { kind: string; title: string; note?: string; run: () => void }
const MOST = 40

/** Goes to a page, an agent, a tool or an action by typing a part of its name. */
export function Palette({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal.Root opened={opened} onClose={onClose} lockScroll={false} transitionProps={{ duration: 0 }} centered={false} yOffset="12vh" size="lg" padding={0}>
      <Modal.Overlay />
      <Modal.Content aria-label="Go to">
        <Modal.Body>{opened ? <Finder onClose={onClose} /> : null}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}

function Finder({ onClose }: { onClose: () => void }) {
  const [words, setWords] = useState('')
  const [chosen, setChosen] = useState(0)
  const entries = useEntries()
  const found = useMemo(() => {
    const parts = words.toLowerCase().split(/\s+/).filter(Boolean)
    return entries
      .filter((entry) => parts.every((part) => `${entry.kind} ${entry.title} ${entry.note ?? ''}`.toLowerCase().includes(part)))
      .slice(0, MOST)
  }, [entries, words])

  const run = (entry: Entry | undefined) => {
    if (!entry) return
    onClose()
    entry.run()
  }
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) {
      event.preventDefault()
      setChosen((at) => Math.max(0, Math.min(found.length - 1, at + step)))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      run(found[chosen])
    }
  }
  return (
    <div onKeyDown={pressed}>
      <TextInput
        data-autofocus
        variant="unstyled"
        className={css.input ?? ''}
        leftSection={<IconSearch size={16} />}
        placeholder="Page, agent, tool, tenant or action"
        aria-label="Go to"
        role="combobox"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={found[chosen] ? `palette-${chosen}` : undefined}
        value={words}
        onChange={(event) => {
          setWords(event.currentTarget.value)
          setChosen(0)
        }}
      />
      <ul className={css.list} role="listbox" id="palette-list" aria-label="Found">
        {found.map((entry, index) => (
          <li
            key={`${entry.kind}-${entry.title}-${entry.note}`}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            ref={index === chosen ? (item) => item?.scrollIntoView({ block: 'nearest' }) : undefined}
            onMouseMove={() => setChosen(index)}
            onClick={() => run(entry)}
          >
            <span className={css.kind}>{entry.kind}</span>
            <span className="grow ellipsis">
              <Untrusted text={entry.title} />
            </span>
            {entry.note ? <span className="dim small">{entry.note}</span> : null}
          </li>
        ))}
      </ul>
      {found.length === 0 ? <p className={css.none}>Nothing has this in its name.</p> : null}
    </div>
  )
}

function useEntries(): Entry[] {
  const navigate = useNavigate()
  const { tenant: name } = useParams({ strict: false })
  const tenants = useQuery(tenantList())
  const tenant = tenants.data?.find((one) => one.name === name) ?? tenants.data?.[0]
  const agents = useQuery({ ...agentList(tenant?.id as never), enabled: Boolean(tenant) })
  const tools = useQuery({ ...matrix(tenant?.id as never), enabled: Boolean(tenant) })
  return useMemo(() => {
    const go = (to: string, search: Record<string, string> = {}) => () =>
      void navigate({ to: to as '/', search: search as never })
    const servers = new Map(tools.data?.servers.map((server) => [server.id, server.name]))
    const at = tenant ? `/t/${tenant.name}` : ''
    return [
      ...allPlaces.map((place) => ({ kind: 'page', title: place.title, note: `g ${place.key}`, run: go(addressOf(place, tenant?.name)) })),
      ...(tenant
        ? [
            { kind: 'action', title: 'Create an agent', run: go(`${at}/agents`, { new: '1' }) },
            { kind: 'action', title: 'Create a task', run: go(`${at}/tasks`, { new: '1' }) },
            { kind: 'action', title: 'See what happens to credentials in the next 90 days', run: go(`${at}/credentials`, { tab: 'calendar' }) },
            { kind: 'action', title: 'See how well credentials are kept', run: go(`${at}/credentials`, { tab: 'posture' }) },
            { kind: 'action', title: 'Change how long credentials live', run: go(`${at}/credentials`, { tab: 'lifecycle' }) },
            { kind: 'action', title: 'Replace the keys of an agent or of the tenant', run: go(`${at}/credentials`, { bulk: 'rotate' }) },
            { kind: 'action', title: 'Revoke everything of an agent or of the tenant', run: go(`${at}/credentials`, { bulk: 'revoke' }) },
            { kind: 'action', title: 'Add an identity provider', run: go(`${at}/identity`, { new: '1' }) },
            { kind: 'action', title: 'Open the built-in issuer', run: go(`${at}/identity`, { tab: 'issuer' }) },
            { kind: 'action', title: 'List the certificates of agents', run: go(`${at}/identity`, { tab: 'certificates' }) },
            { kind: 'action', title: 'Revoke a token, a key or a subject', run: go(`${at}/identity`, { tab: 'revocations', new: '1' }) },
            { kind: 'action', title: 'Add a server', run: go(`${at}/servers`, { new: '1' }) },
          ]
        : []),
      { kind: 'action', title: 'Lock the console', run: () => void call('lock').catch(tellFailed) },
      ...(tenants.data ?? []).map((one) => ({ kind: 'tenant', title: one.name, run: go(`/t/${one.name}/overview`) })),
      ...(agents.data ?? []).map((agent) => ({ kind: 'agent', title: agent.name, run: go(`${at}/agents`, { agent: agent.id }) })),
      ...(tools.data?.tools ?? []).map((tool) => ({
        kind: 'tool', title: tool.name, note: servers.get(tool.server) ?? '', run: go(`${at}/matrix`, { q: tool.name }),
      })),
    ]
  }, [navigate, tenant, tenants.data, agents.data, tools.data])
}

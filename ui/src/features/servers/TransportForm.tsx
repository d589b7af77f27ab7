import { ActionIcon, SegmentedControl, Select, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Act } from '@/components/Act'
import { IconX } from '@/components/icons'
import { StoreSecret } from '@/components/StoreSecret'
import { useTenant } from '@/components/tenant'
import { templateList, tenantSecrets } from '@/ipc/queries'
import { nameProblem } from '@/lib/names'
import { FromTemplate } from './FromTemplate'
import css from './Servers.module.css'
import { transportOf, transportText, type Draft, type From, type Row } from './transport'

type Props = { draft: Draft; onChange: (draft: Draft) => void; note?: string }

/** The name of a server, and how it is reached: on its own, or as a template says. */
export function ReachForm({ name, onName, from, onFrom, ...form }: Props & {
  name: string
  onName: (name: string) => void
  from: From | null
  onFrom: (from: From | null) => void
}) {
  const templates = useQuery(templateList())
  const { draft, onChange } = form
  const pick = (kind: string) => {
    if (kind === 'template') return onFrom({ template: '', settings: {} })
    onFrom(null)
    onChange({ ...draft, kind: kind as Draft['kind'], settings: kind === draft.kind ? draft.settings : [] })
  }
  return (
    <div className="stack">
      <TextInput label="Name" description="Stands before its tools where a tenant has several servers" data-autofocus value={name}
        onChange={(event) => onName(event.currentTarget.value)} error={name && nameProblem(name)} />
      <SegmentedControl aria-label="How it runs" transitionDuration={0} value={from ? 'template' : draft.kind} onChange={pick}
        data={[
          { value: 'stdio', label: 'A program on this machine' }, { value: 'http', label: 'A server over HTTP' },
          ...(templates.data?.length ? [{ value: 'template', label: 'From a template' }] : []),
        ]} />
      {from ? <FromTemplate from={from} onChange={onFrom} /> : <TransportFields {...form} />}
    </div>
  )
}

/** How a server is reached, with the exact command shown before anything runs. */
export function TransportFields({ draft, onChange, note = 'This exact command will run, with only the variables above and the few that every program needs:' }: Props) {
  const set = (patch: Partial<Draft>) => onChange({ ...draft, ...patch })
  if (draft.kind === 'http') {
    return (
      <>
        <TextInput label="Address" placeholder="https://mcp.example.com/mcp" classNames={{ input: css.mono ?? '' }} value={draft.url} onChange={(event) => set({ url: event.currentTarget.value })} />
        <Settings word="header" rows={draft.settings} onChange={(settings) => set({ settings })} />
      </>
    )
  }
  return (
    <>
      <div className={css.pair}>
        <TextInput label="Command" placeholder="npx" classNames={{ input: css.mono ?? '' }} value={draft.command} onChange={(event) => set({ command: event.currentTarget.value })} />
        <TextInput label="Folder it runs in" placeholder="as the gateway" classNames={{ input: css.mono ?? '' }} value={draft.cwd} onChange={(event) => set({ cwd: event.currentTarget.value })} />
      </div>
      <Textarea label="Arguments" description="One a line. Nothing is split, expanded or given to a shell." autosize={false} rows={4} classNames={{ input: css.mono ?? '' }}
        value={draft.args} onChange={(event) => set({ args: event.currentTarget.value })} />
      <Settings word="variable" rows={draft.settings} onChange={(settings) => set({ settings })} />
      {draft.command.trim() ? (
        <div>
          <div className="dim small">{note}</div>
          <pre className={css.command}>{transportText(transportOf(draft))}</pre>
        </div>
      ) : null}
    </>
  )
}

function Settings({ word, rows, onChange }: { word: string; rows: Row[]; onChange: (rows: Row[]) => void }) {
  const tenant = useTenant()
  const secrets = useQuery(tenantSecrets(tenant.id))
  const change = (index: number, patch: Partial<Row>) => onChange(rows.map((row, at) => (at === index ? { ...row, ...patch } : row)))
  const label = word === 'variable' ? 'Environment variables' : 'Headers'
  return (
    <fieldset className={css.settings}>
      <legend>{label}</legend>
      {rows.map((row, index) => (
        <div key={index} className={css.setting}>
          <TextInput size="xs" aria-label={`Name of ${word} ${index + 1}`} placeholder="NAME" classNames={{ input: css.mono ?? '' }} value={row.key} onChange={(event) => change(index, { key: event.currentTarget.value })} />
          <Select size="xs" aria-label={`Kind of ${word} ${index + 1}`} allowDeselect={false} data={[{ value: 'text', label: 'Text' }, { value: 'secret', label: 'Secret' }]}
            value={row.secret ? 'secret' : 'text'} onChange={(value) => change(index, { secret: value === 'secret', value: '' })} />
          {row.secret ? (
            <Select size="xs" aria-label={`Secret of ${word} ${index + 1}`} data={secrets.data ?? []} value={row.value || null} placeholder={secrets.data?.length ? 'Choose' : 'None stored yet'} onChange={(value) => change(index, { value: value ?? '' })} />
          ) : (
            <TextInput size="xs" aria-label={`Value of ${word} ${index + 1}`} placeholder="value" classNames={{ input: css.mono ?? '' }} value={row.value} onChange={(event) => change(index, { value: event.currentTarget.value })} />
          )}
          <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${word} ${index + 1}`} onClick={() => onChange(rows.filter((_, at) => at !== index))}>
            <IconX size={14} />
          </ActionIcon>
        </div>
      ))}
      <div className="row">
        <Act onClick={() => onChange([...rows, { key: '', secret: false, value: '' }])}>Add a {word}</Act>
        {rows.some((row) => row.secret) ? <StoreSecret /> : null}
      </div>
    </fieldset>
  )
}

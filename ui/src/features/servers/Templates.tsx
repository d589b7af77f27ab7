import { Modal, SegmentedControl, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { confirm } from '@/components/confirm'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { tellDone } from '@/components/notices'
import { Problem } from '@/components/Problem'
import { call } from '@/ipc/call'
import type { TemplateView } from '@/ipc/generated'
import { templateList } from '@/ipc/queries'
import { plural } from '@/lib/format'
import { nameProblem } from '@/lib/names'
import css from './Servers.module.css'
import { draftOf, draftProblem, emptyDraft, transportOf, transportText, type Draft } from './transport'
import { TransportFields } from './TransportForm'

/** How servers that several tenants have are reached. */
export function Templates({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Templates of servers" size={760} closeOnClickOutside={false}>
      {opened ? <Content /> : null}
    </Modal>
  )
}

function Content() {
  const query = useQuery(templateList())
  const [edited, setEdited] = useState<TemplateView | 'new' | null>(null)
  if (edited) return <Edit template={edited === 'new' ? null : edited} onDone={() => setEdited(null)} />
  return (
    <div className="stack">
      <p className="dim">
        A template says how a server is reached for every tenant that has it. A place such as <code>{'${folder}'}</code> is filled in by each tenant, and a secret means the tenant's own of that name.
        No program and no connection is ever shared between tenants.
      </p>
      <Loaded query={query}>
        {(templates) => templates.length === 0 ? <Empty title="No template yet">Make one where several tenants have the same server.</Empty> : (
          <ul className={css.tools} aria-label="Templates">
            {templates.map((template) => <Entry key={template.name} template={template} onEdit={() => setEdited(template)} />)}
          </ul>
        )}
      </Loaded>
      <div className="row spread"><span /><Act tone="primary" onClick={() => setEdited('new')}>Make a template</Act></div>
    </div>
  )
}

function Entry({ template, onEdit }: { template: TemplateView; onEdit: () => void }) {
  const queryClient = useQueryClient()
  const used = template.servers.map((server) => `${server.tenant_name}/${server.server_name}`)
  const remove = () => confirm({
    title: `Remove template ${template.name}?`, body: 'No server comes from it.', action: 'Remove the template',
    run: async () => {
      await call('template_remove', { name: template.name })
      await queryClient.invalidateQueries()
    },
  })
  return (
    <li className={css.tool}>
      <div className="stack grow" style={{ gap: 4, minWidth: 0 }}>
        <strong>{template.name}</strong>
        <code style={{ overflowWrap: 'anywhere' }}>{transportText(template.transport)}</code>
        <span className="dim small" style={{ overflowWrap: 'anywhere' }}>
          {used.length === 0 ? 'No server comes from it.' : `${plural(used.length, 'server')}: ${used.join(', ')}`}
        </span>
      </div>
      <Act onClick={onEdit}>Change</Act>
      <Act tone="danger" onClick={remove} disabledReason={used.length > 0 ? 'Servers come from it: remove them first' : undefined}>Remove</Act>
    </li>
  )
}

function Edit({ template, onDone }: { template: TemplateView | null; onDone: () => void }) {
  const queryClient = useQueryClient()
  const [name, setName] = useState(template?.name ?? '')
  const [draft, setDraft] = useState<Draft>(template ? draftOf(template.transport) : emptyDraft)
  const tenants = new Set(template?.servers.map((one) => one.tenant)).size
  const save = useMutation({
    mutationFn: () => call('template_set', { name, transport: transportOf(draft) }),
    onSuccess: async () => {
      const used = template?.servers.length ?? 0
      tellDone(used > 0 ? `${plural(used, 'server')} of template ${name} ${used === 1 ? 'begins anew with its' : 'begin anew with their'} next call.` : `Template ${name} can be used.`)
      await queryClient.invalidateQueries()
      onDone()
    },
  })
  return (
    <div className="stack">
      {template ? <h2>Template {name}</h2> : (
        <TextInput label="Name" description="It cannot be changed later" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} error={name && nameProblem(name)} />
      )}
      <SegmentedControl aria-label="How it runs" transitionDuration={0} value={draft.kind} onChange={(kind) => setDraft({ ...draft, kind: kind as Draft['kind'], settings: [] })}
        data={[{ value: 'stdio', label: 'A program on this machine' }, { value: 'http', label: 'A server over HTTP' }]} />
      <TransportFields draft={draft} onChange={setDraft} note={'Each tenant fills in the places, written ${name}. The program is the same for all:'} />
      {template && template.servers.length > 0 ? (
        <p className={css.note} role="note">{plural(template.servers.length, 'server')} of {plural(tenants, 'tenant')} {template.servers.length === 1 ? 'comes' : 'come'} from it and will begin anew with the next call.</p>
      ) : null}
      {save.error ? <Problem error={save.error} /> : null}
      <div className="row spread">
        <Act onClick={onDone}>Back</Act>
        <Act tone="primary" onClick={() => save.mutate()} loading={save.isPending} disabledReason={nameProblem(name) ?? draftProblem(draft, true)}>Save the template</Act>
      </div>
    </div>
  )
}

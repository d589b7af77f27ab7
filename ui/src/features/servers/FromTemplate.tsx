import { Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Problem } from '@/components/Problem'
import { StoreSecret } from '@/components/StoreSecret'
import { useTenant } from '@/components/tenant'
import type { TemplateView } from '@/ipc/generated'
import { templateFill, templateList, tenantSecrets } from '@/ipc/queries'
import css from './Servers.module.css'
import { transportText, type From } from './transport'

type Props = { from: From; onChange: (from: From) => void }

/** What a tenant puts into the places of a template. */
export function FromTemplate({ from, onChange }: Props) {
  const templates = useQuery(templateList())
  const template = templates.data?.find((one) => one.name === from.template)
  return (
    <>
      <Select label="Template" placeholder="Choose" data={(templates.data ?? []).map((one) => one.name)} value={from.template || null} allowDeselect={false}
        onChange={(name) => onChange({ template: name ?? '', settings: {} })} />
      {template ? <Places template={template} from={from} onChange={onChange} /> : null}
    </>
  )
}

/** The places of one template, the secrets that it needs, and what it comes to. */
export function Places({ template, from, onChange }: Props & { template: TemplateView }) {
  const filled = useQuery({ ...templateFill(from.template, from.settings), enabled: fromProblem(from, template) === undefined })
  return (
    <>
      {template.places.map((place) => (
        <TextInput key={place} label={<code>{place}</code>} classNames={{ input: css.mono ?? '' }} value={from.settings[place] ?? ''}
          onChange={(event) => onChange({ ...from, settings: { ...from.settings, [place]: event.currentTarget.value } })} />
      ))}
      {template.secrets.length > 0 ? <Secrets wanted={template.secrets} /> : null}
      {filled.error ? <Problem error={filled.error} /> : null}
      {filled.data ? (
        <div>
          <div className="dim small">{filled.data.kind === 'stdio' ? 'This exact command will run:' : 'This address will be called:'}</div>
          <pre className={css.command}>{transportText(filled.data)}</pre>
        </div>
      ) : null}
    </>
  )
}

function Secrets({ wanted }: { wanted: string[] }) {
  const tenant = useTenant()
  const kept = useQuery(tenantSecrets(tenant.id))
  const missing = wanted.filter((name) => !kept.data?.includes(name))
  if (!kept.data) return null
  if (missing.length === 0) return <div className="dim small">It is given {tenant.name}'s own secret {wanted.join(', ')}.</div>
  return (
    <div className={css.drift} role="alert">
      <div className="stack grow">
        <span>It is given {tenant.name}'s own secret {missing.join(', ')}, which is not stored yet.</span>
        <div><StoreSecret tone="plain" /></div>
      </div>
    </div>
  )
}

/** What is missing until a server can be tried. */
export function fromProblem(from: From, template: TemplateView | undefined): string | undefined {
  if (!template) return 'The template is missing'
  const empty = template.places.find((place) => !from.settings[place])
  return empty ? `Nothing is set for ${empty}` : undefined
}

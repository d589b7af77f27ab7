import { Checkbox, Input, NumberInput, SegmentedControl, Select, Switch, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { IconAlertTriangle } from '@/components/icons'
import { StoreSecret } from '@/components/StoreSecret'
import { useTenant } from '@/components/tenant'
import type { IntrospectionUse, ProviderPreset, SenderConstraint, TokenAlgorithm, TokenTypes } from '@/ipc/generated'
import { tenantSecrets } from '@/ipc/queries'
import css from './Identity.module.css'
import { algorithmGroups, introspectionWord, presetWord, senderWord, typesWord } from './labels'
import type { Draft, Problems } from './settings'

type Props = { /** The field of its name. */ name: ReactNode; draft: Draft; problems: Problems; onChange: (patch: Partial<Draft>) => void }
type PartProps = Omit<Props, 'name'> & { text: (field: TextField) => object }
type TextField = { [Key in keyof Draft]: Draft[Key] extends string ? (string extends Draft[Key] ? Key : never) : never }[keyof Draft]

export const choices = <Word extends string>(words: Record<Word, string>) => Object.entries<string>(words).map(([value, label]) => ({ value, label }))
const mono = { input: css.mono ?? '' }

/** The rules under which a provider's tokens are accepted. */
export function ProviderForm({ name, draft, problems, onChange }: Props) {
  const text = (field: TextField) => ({
    value: draft[field],
    onChange: (event: { currentTarget: { value: string } }) => onChange({ [field]: event.currentTarget.value }),
    // What is still empty is missing, not wrong: the button says so.
    error: draft[field] ? problems[field] : undefined,
  })
  const parts = { draft, problems, onChange, text }
  return (
    <div className={css.form}>
      <div className={css.pair}>
        {name}
        <Select label="Product" description="As far as defaults go" allowDeselect={false} data={choices(presetWord)} value={draft.preset} onChange={(preset) => preset && onChange({ preset: preset as ProviderPreset })} />
      </div>
      <Where {...parts} />
      <Token {...parts} />
      <Claims {...parts} />
      <Times {...parts} />
      <Asking {...parts} />
    </div>
  )
}

function Part({ title, hint, children }: { title: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <fieldset className={css.part}>
      <legend>{title}</legend>
      {hint ? <p className="dim small">{hint}</p> : null}
      {children}
    </fieldset>
  )
}

/** A switch that opens the private network, with what that means. */
export function PrivateNetwork({ on, onChange }: { on: boolean; onChange: (on: boolean) => void }) {
  return (
    <div className="stack">
      <Switch label="It is at a private address or on this machine" checked={on} onChange={(event) => onChange(event.currentTarget.checked)} />
      {on ? (
        <div className={css.warning} role="note">
          <IconAlertTriangle size={16} aria-hidden />
          <span>Countersign then connects to private addresses, and to this machine without TLS, wherever this issuer’s metadata point. Only for a provider that you run yourselves.</span>
        </div>
      ) : null}
    </div>
  )
}

function Where({ draft, text, onChange }: PartProps) {
  return (
    <Part title="Issuer and keys">
      <div className={css.pair}>
        <TextInput label="Issuer" description="The iss of its tokens, byte by byte" classNames={mono} {...text('issuer')} />
        <TextInput label="Address of its keys" description="Its JWK Set (RFC 7517)" classNames={mono} {...text('jwksUri')} />
      </div>
      <PrivateNetwork on={draft.privateNetwork} onChange={(privateNetwork) => onChange({ privateNetwork })} />
    </Part>
  )
}

function Token({ draft, problems, text, onChange }: PartProps) {
  return (
    <Part title="What a token must be">
      <Checkbox.Group label="Signed with" value={draft.algorithms} onChange={(algorithms) => onChange({ algorithms: algorithms as TokenAlgorithm[] })} error={problems.algorithms}>
        <div className={css.algorithms}>
          {algorithmGroups.map((group) => (
            <div key={group.title} className="stack tight">
              <span className="dim small">{group.title}</span>
              <div className="row wrap" style={{ columnGap: 20 }}>
                {group.algorithms.map((one) => <Checkbox key={one} size="xs" value={one} label={<code>{one}</code>} />)}
              </div>
            </div>
          ))}
        </div>
      </Checkbox.Group>
      <div className={css.pair}>
        <div className="stack">
          <Textarea label="Audiences" description="One a line. None: the address of the endpoint (RFC 8707)" rows={2} classNames={mono} {...text('audiences')} />
          <Checkbox size="xs" label="A token may have further audiences" checked={draft.severalAudiences} onChange={(event) => onChange({ severalAudiences: event.currentTarget.checked })} />
        </div>
        <Textarea label="Scopes that every token must have" description="One a line" rows={2} classNames={mono} {...text('scopes')} />
      </div>
      <div className={css.pair}>
        <div>
          <Input.Label component="div" id="token-type">Type (typ)</Input.Label>
          <SegmentedControl fullWidth aria-labelledby="token-type" transitionDuration={0} data={choices(typesWord)} value={draft.types} onChange={(types) => onChange({ types: types as TokenTypes })} />
        </div>
        <Select label="Bound to" allowDeselect={false} data={choices(senderWord)} value={draft.sender} onChange={(sender) => sender && onChange({ sender: sender as SenderConstraint })} />
      </div>
    </Part>
  )
}

function Claims({ problems, text }: PartProps) {
  return (
    <Part title="Which claims say what" hint={<>A claim inside another is named by a path: <code>realm_access.roles</code>. A token can only narrow what the agent has here.</>}>
      <div className={css.triple}>
        <TextInput label="Agent" placeholder="sub" classNames={mono} {...text('agentClaim')} error={problems.agentClaim} />
        <TextInput label="Roles" placeholder="all that the agent has" classNames={mono} {...text('rolesClaim')} />
        <TextInput label="Task" placeholder="mcp_task" classNames={mono} {...text('taskClaim')} />
      </div>
      <div className={css.pair}>
        <TextInput label="Claim that names the tenant" placeholder="not looked at" classNames={mono} {...text('tenantClaim')} />
        <TextInput label="Value that it must have" classNames={mono} {...text('tenantValue')} error={problems.tenantValue} />
      </div>
    </Part>
  )
}

type Duration = { label: string; description: string; secs: number; error?: string | undefined; onChange: (secs: number) => void }

function Minutes({ secs, onChange, ...rest }: Duration) {
  return (
    <NumberInput {...rest} suffix=" min" min={0} decimalScale={2} value={secs / 60}
      onChange={(value) => typeof value === 'number' && onChange(Math.round(value * 60))} />
  )
}

function Times({ draft, problems, onChange }: PartProps) {
  return (
    <Part title="How long">
      <div className={css.triple}>
        <Minutes label="Oldest token" description="Since it was issued" secs={draft.longestSecs} error={problems.longestSecs} onChange={(longestSecs) => onChange({ longestSecs })} />
        <Minutes label="For countersigned tools" description="Oldest token there" secs={draft.longestTokenSecs} error={problems.longestTokenSecs} onChange={(longestTokenSecs) => onChange({ longestTokenSecs })} />
        <Minutes label="Outage limit" description="Age of its last known keys" secs={draft.staleSecs} onChange={(staleSecs) => onChange({ staleSecs })} />
      </div>
    </Part>
  )
}

function Asking({ draft, problems, text, onChange }: PartProps) {
  const tenant = useTenant()
  const secrets = useQuery(tenantSecrets(tenant.id))
  return (
    <Part title="Asking whether a token still holds">
      <Switch label="Ask its introspection endpoint (RFC 7662)" description="No answer, or an answer that it does not hold, and the call is refused" checked={draft.introspects}
        onChange={(event) => onChange({ introspects: event.currentTarget.checked })} />
      {draft.introspects ? (
        <>
          <div className={css.pair}>
            <TextInput label="Introspection endpoint" classNames={mono} {...text('endpoint')} />
            <Select label="Before" allowDeselect={false} data={choices(introspectionWord)} value={draft.when} onChange={(when) => when && onChange({ when: when as IntrospectionUse })} />
          </div>
          <div className={css.triple}>
            <TextInput label="Client id" description="The gateway’s own, there" classNames={mono} {...text('clientId')} />
            <Select label="Secret" description="As the tenant keeps it" data={secrets.data ?? []} value={draft.secret || null} placeholder={secrets.data?.length ? 'Choose' : 'None stored yet'}
              error={draft.secret ? problems.secret : undefined} onChange={(secret) => onChange({ secret: secret ?? '' })} />
            <NumberInput label="Use an answer again for" description="Never for countersigned tools" suffix=" s" min={0} max={300} value={draft.cacheSecs} onChange={(value) => typeof value === 'number' && onChange({ cacheSecs: Math.round(value) })} />
          </div>
          <div><StoreSecret onStored={(secret) => onChange({ secret })} /></div>
        </>
      ) : null}
    </Part>
  )
}

import { Input, NativeSelect, NumberInput, SegmentedControl, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Act } from '@/components/Act'
import { Untrusted } from '@/components/Untrusted'
import { count } from '@/lib/format'
import { LONGEST_REASON } from '@/lib/reason'
import { argumentsOf, schemaOf, waysFor, type Argument, type Loose } from '@/lib/series'
import css from './Approvals.module.css'
import { swallowEnter } from './BreakGlass'

/** What is signed besides the call that waits. */
export type Wanted = { calls: number; secs: number; schema?: string; reason?: string }

type Props = {
  /** The arguments of the call that waits, as JSON. */
  source: string
  tool: string
  agent: string
  busy: boolean
  /** Why it cannot be done now. */
  refused: string | undefined
  onSign: (wanted: Wanted) => void
  onBack: () => void
}

const MOST_MORE = 99
const wayWord: Record<Loose['as'], string> = { exact: 'exactly this', begins: 'begins with', most: 'at most', any: 'anything of its kind' }

/** One signature for this call and some that are alike: an act of its own, with the exact arguments proposed. */
export function SeriesForm({ source, tool, agent, busy, refused, onSign, onBack }: Props) {
  const seen = argumentsOf(source)
  const [more, setMore] = useState<number | string>(9)
  const [minutes, setMinutes] = useState('5')
  const [loose, setLoose] = useState<Record<string, Loose>>({})
  const [reason, setReason] = useState('')
  const known = typeof more === 'number' && Number.isInteger(more) && more >= 1 && more <= MOST_MORE
  const empty = Object.values(loose).some((one) => one.as === 'begins' && one.text === '')
  const missing = refused ?? (known ? undefined : `Say how many more: 1 to ${MOST_MORE}`) ?? (empty ? 'Say what the text begins with' : undefined)
  const sign = () => {
    const schema = seen ? schemaOf(seen, loose) : undefined
    if (known) onSign({ calls: more, secs: Number(minutes) * 60, ...(schema && { schema }), ...(reason.trim() && { reason: reason.trim() }) })
  }
  return (
    <section className={`${css.denying} ${css.series}`} aria-label="Approve a series">
      <p>You sign this call, and up to <b>{known ? more : '…'} more</b> of <Untrusted text={tool} mono /> that {agent} makes in this session within {minutes} minutes. Each has exactly these arguments, unless you leave one looser.</p>
      <div className={css.seriesBounds}>
        <NumberInput label="How many more" min={1} max={MOST_MORE} clampBehavior="none" allowDecimal={false} allowNegative={false} value={more} onChange={setMore} />
        <Input.Wrapper label="For how long" labelElement="div">
          <SegmentedControl size="sm" display="flex" aria-label="For how long" transitionDuration={0} value={minutes} onChange={setMinutes} data={['1', '5', '10', '15'].map((value) => ({ value, label: `${value} min` }))} />
        </Input.Wrapper>
        <TextInput label="Why" placeholder="Kept with your signature; may be left out" maxLength={LONGEST_REASON} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      </div>
      <div className={css.seriesRules} role="group" aria-label="Arguments" tabIndex={0}>
        {seen?.map((one) => (
          <Rule key={one.name} argument={one} loose={loose[one.name] ?? { as: 'exact' }} onChange={(next) => setLoose({ ...loose, [one.name]: next })} />
        ))}
        {seen?.length === 0 ? <span className="dim small">It has no arguments, and neither has any of the others.</span> : null}
      </div>
      <span className="dim small">Any other call is put before you as usual. You can take the series back at any time on the page Approvals.</span>
      <div className="row spread">
        <Act onClick={onBack}>Back</Act>
        <span className="dim small grow" role="status">{missing}</span>
        <span onKeyDownCapture={swallowEnter}>
          <Act tone="primary" loading={busy} disabledReason={missing} onClick={sign}>Approve and sign the series</Act>
        </span>
      </div>
    </section>
  )
}

type RuleProps = { argument: Argument; loose: Loose; onChange: (next: Loose) => void }

function Rule({ argument: { name, value }, loose, onChange }: RuleProps) {
  const ways = waysFor(value)
  const choose = (way: string) => {
    if (way === 'begins') onChange({ as: 'begins', text: String(value) })
    else if (way === 'most') onChange({ as: 'most', number: Number(value) })
    else onChange({ as: way === 'any' ? 'any' : 'exact' })
  }
  return (
    <div className={css.seriesRule}>
      <Untrusted text={name} mono />
      <NativeSelect size="xs" aria-label={`How ${name} may differ`} data={ways.map((way) => ({ value: way, label: wayWord[way] }))} value={loose.as} onChange={(event) => choose(event.currentTarget.value)} />
      {loose.as === 'begins' ? (
        <TextInput size="xs" aria-label={`What ${name} begins with`} value={loose.text} spellCheck={false} onChange={(event) => onChange({ as: 'begins', text: event.currentTarget.value })} />
      ) : loose.as === 'most' ? (
        <NumberInput size="xs" aria-label={`The most of ${name}`} value={loose.number} onChange={(next) => onChange({ as: 'most', number: Number(next) })} />
      ) : loose.as === 'exact' ? (
        <Exactly value={value} />
      ) : (
        <span className="dim small">whatever the agent puts there</span>
      )}
    </div>
  )
}

const MOST_SHOWN = 90

// The whole of it stands in the card; here it says which one is meant.
function Exactly({ value }: { value: unknown }) {
  const text = JSON.stringify(value)
  const letters = [...text]
  if (letters.length <= MOST_SHOWN) return <span className={css.seriesValue}><Untrusted text={text} mono /></span>
  return <span className={css.seriesValue}><Untrusted text={letters.slice(0, MOST_SHOWN - 30).join('')} mono /> <span className="dim small">… all {count(letters.length)} characters that the card shows</span></span>
}

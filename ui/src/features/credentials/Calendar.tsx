import { useQuery } from '@tanstack/react-query'
import { useMemo, useRef, type KeyboardEvent } from 'react'
import { Act } from '@/components/Act'
import { useAddress } from '@/components/address'
import { Empty } from '@/components/Empty'
import { Loaded } from '@/components/Loaded'
import { useTenant } from '@/components/tenant'
import { useNow } from '@/components/Time'
import type { CalendarView, CalendarWhat } from '@/ipc/generated'
import { credentialCalendar } from '@/ipc/queries'
import { clockUtc, count, plural } from '@/lib/format'
import css from './Calendar.module.css'
import { countsOf, daysOf, dayTitle, monthOf, weekdays, weeksOf, type Day } from './days'
import { Soon } from './Soon'
import { dayWord, nextSentence, whats } from './words'

/** What will happen to the tenant's credentials, day by day. */
export function Calendar() {
  const tenant = useTenant()
  const query = useQuery(credentialCalendar(tenant.id))
  return (
    <Loaded query={query}>
      {(events) => (events.length === 0 ? <div className="panel"><Empty title="Nothing in the next 90 days">What is replaced, makes way, ends or is revoked for want of use appears here, on its day.</Empty></div> : <Days events={events} />)}
    </Loaded>
  )
}

function Days({ events }: { events: CalendarView[] }) {
  const [address, set] = useAddress()
  const now = useNow(60_000)
  const days = useMemo(() => daysOf(events, now), [events, now])
  const chosen = days.find((day) => day.date === address.day)
  const shown = chosen ? [chosen] : days.filter((day) => day.events.length > 0)
  return (
    <div className="stack">
      <div className={css.legend}>
        {whats.map((what) => <span key={what} className={css.key}><Sign what={what} /> {dayWord[what]} <span className="dim">{count(events.filter((event) => event.what === what).length)}</span></span>)}
        <span className="dim small">Days are those of UTC. What follows from credentials as they are now; a use or a replacement moves what comes after it.</span>
      </div>
      <div className={css.sides}>
        <Grid days={days} chosen={chosen?.date} onChoose={(date) => set({ day: date === address.day ? undefined : date })} />
        <section className={css.list} aria-label="What happens">
          <div className="row spread">
            <h2>{chosen ? dayTitle(chosen) : plural(events.length, 'thing happens', 'things happen')}</h2>
            {chosen ? <Act tone="quiet" onClick={() => set({ day: undefined })}>All days</Act> : null}
          </div>
          {chosen && chosen.events.length === 0 ? <p className="dim">Nothing on this day.</p> : null}
          {shown.map((day) => <OneDay key={day.date} day={day} titled={chosen === undefined} onOpen={(id) => set({ credential: id })} />)}
        </section>
      </div>
    </div>
  )
}

const Sign = ({ what }: { what: CalendarWhat }) => <span className={css.sign} data-what={what} aria-hidden />

/** The most that is listed of one day before it is chosen. */
const FEW = 8

function OneDay({ day, titled, onOpen }: { day: Day; titled: boolean; onOpen: (id: string) => void }) {
  const [, set] = useAddress()
  const listed = titled ? day.events.slice(0, FEW) : day.events
  return (
    <div className="stack tight">
      {titled ? <h3>{dayTitle(day)}</h3> : null}
      <ul className={`panel ${css.events}`}>
        {listed.map((event) => (
          <li key={`${event.credential}${event.what}`}>
            <button type="button" className={css.event} onClick={() => onOpen(event.credential)}>
              <span className={css.clock} title="UTC">{clockUtc(event.at).slice(0, 5)}</span>
              <span className={css.about}>
                <b>{event.agent_name}</b>
                <span className={css.what}><Sign what={event.what} />{nextSentence[event.what]}</span>
                <span className="mono dim ellipsis" title={event.key_id}>{event.key_id}</span>
              </span>
              <span className="dim small nowrap"><Soon at={event.at} /></span>
            </button>
          </li>
        ))}
      </ul>
      {day.events.length > listed.length ? <div><Act tone="quiet" onClick={() => set({ day: day.date })}>{count(day.events.length - listed.length)} more on this day</Act></div> : null}
    </div>
  )
}

const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }

function Grid({ days, chosen, onChoose }: { days: Day[]; chosen: string | undefined; onChoose: (date: string) => void }) {
  const table = useRef<HTMLTableElement>(null)
  const weeks = weeksOf(days)
  // One stop for the Tab key; arrows go from day to day.
  const stop = chosen ?? days[0]?.date
  const move = (event: KeyboardEvent) => {
    const step = steps[event.key]
    const own = (event.target as HTMLElement).dataset.date
    if (!step || !own) return
    event.preventDefault()
    const next = days[days.findIndex((day) => day.date === own) + step]
    if (next) table.current?.querySelector<HTMLElement>(`[data-date="${next.date}"]`)?.focus()
  }
  return (
    <table ref={table} className={css.grid} role="grid" aria-label="The next 90 days" onKeyDown={move}>
      <thead><tr>{weekdays.map((day) => <th key={day} scope="col">{day}</th>)}</tr></thead>
      <tbody>
        {weeks.map((week) => (
          <tr key={week.find((day) => day)?.date}>
            {week.map((day, at) => (
              <td key={day?.date ?? at} aria-selected={day ? day.date === chosen : undefined}>{day ? <Cell day={day} isFirst={day === days[0]} isChosen={day.date === chosen} isStop={day.date === stop} onChoose={onChoose} /> : null}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

type CellProps = { day: Day; isFirst: boolean; isChosen: boolean; isStop: boolean; onChoose: (date: string) => void }

function Cell({ day, isFirst, isChosen, isStop, onChoose }: CellProps) {
  const counts = countsOf(day.events)
  const number = Number(day.date.slice(8))
  const told = counts.length === 0 ? 'nothing' : counts.map(([what, many]) => `${count(many)} ${dayWord[what]}`).join(', ')
  return (
    <button type="button" className={css.day} data-date={day.date} data-busy={counts.length > 0 || undefined} data-chosen={isChosen || undefined} tabIndex={isStop ? 0 : -1} title={told} onClick={() => onChoose(day.date)}>
      <span className="visually-hidden">{isFirst ? 'Today, ' : ''}{dayTitle(day)}: {told}</span>
      <span aria-hidden className={css.date}>{number}{isFirst || number === 1 ? ` ${monthOf(day.date).slice(0, 3)}` : ''}</span>
      <span aria-hidden className={css.marks}>{counts.map(([what, many]) => <span key={what} className={css.mark}><Sign what={what} />{count(many)}</span>)}</span>
    </button>
  )
}

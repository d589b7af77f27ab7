import type { OverviewView } from '@/ipc/generated'
import { count } from '@/lib/format'
import css from './OverviewPage.module.css'

type Kind = 'allow' | 'hold' | 'deny'
const kinds: { kind: Kind; word: string }[] = [
  { kind: 'allow', word: 'allowed' },
  { kind: 'hold', word: 'held' },
  { kind: 'deny', word: 'refused' },
]
const HEIGHT = 92
const WIDTH = 480

/** Decisions by the hour: where the shape tells more than a figure. */
export function Hours({ hours }: { hours: OverviewView['hours'] }) {
  const most = Math.max(1, ...hours.map((hour) => hour.allow + hour.hold + hour.deny))
  const total = (kind: Kind) => hours.reduce((sum, hour) => sum + hour[kind], 0)
  const step = WIDTH / Math.max(1, hours.length)
  const nothing = kinds.every(({ kind }) => total(kind) === 0)
  return (
    <figure className={`panel ${css.hours}`} style={{ margin: 0 }}>
      {nothing ? (
        <p className="dim">No call yet in the last 24 hours.</p>
      ) : (
        <>
          <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={kinds.map(({ kind, word }) => `${total(kind)} ${word}`).join(', ')}>
            <line x1="0" y1={HEIGHT - 0.5} x2={WIDTH} y2={HEIGHT - 0.5} />
            {hours.map((hour, index) => {
              let top = HEIGHT - 1
              return kinds.map(({ kind }) => {
                const height = (hour[kind] / most) * (HEIGHT - 6)
                top -= height
                return height > 0 ? (
                  <rect key={`${hour.from}-${kind}`} data-kind={kind} x={index * step + 1.5} y={top} width={step - 3} height={Math.max(1, height)}>
                    <title>{`${hour.from.slice(11, 16)} UTC: ${hour.allow} allowed, ${hour.hold} held, ${hour.deny} refused`}</title>
                  </rect>
                ) : null
              })
            })}
          </svg>
          <div className={css.axis} aria-hidden>
            <span>24 h ago</span>
            <span>most in an hour: {count(most)}</span>
            <span>now</span>
          </div>
        </>
      )}
      <figcaption className={css.legend}>
        {kinds.map(({ kind, word }) => (
          <span key={kind}>
            <i data-kind={kind} /> {count(total(kind))} {word}
          </span>
        ))}
      </figcaption>
    </figure>
  )
}

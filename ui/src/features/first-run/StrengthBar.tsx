import type { Strength } from '@/lib/strength'
import css from './FirstRun.module.css'

/** How strong the passphrase is, as a bar and as a word. */
export function StrengthBar({ text, judged }: { text: string; judged: Strength }) {
  if (text === '') return null
  return (
    <div className={css.strength} role="status">
      <div className={css.bar} data-level={judged.level} aria-hidden>
        {[1, 2, 3].map((step) => (
          <span key={step} data-on={judged.level >= step || undefined} />
        ))}
      </div>
      <span className="small">
        {judged.word}
        {judged.advice ? <span className="dim"> · {judged.advice}</span> : null}
      </span>
    </div>
  )
}

import { useNow } from '@/components/Time'
import type { CredentialRow } from '@/ipc/generated'
import { exactDuration } from '@/lib/format'
import { ageOf, roughly } from './age'
import css from './Credentials.module.css'

/** How much of a credential's life is over, with the moment at which another one takes its place. */
export function AgeBar({ row, wide = false }: { row: CredentialRow; wide?: boolean }) {
  const now = useNow()
  const age = ageOf(row, now)
  const text = age.isOver ? `of ${roughly(age.life)(age.life)}` : wide ? `${exactDuration(age.lived)} of ${exactDuration(age.life)}` : `${roughly(age.life)(age.lived)} of ${roughly(age.life)(age.life)}`
  return (
    <span className={css.age} data-wide={wide || undefined} title={age.turn === null ? undefined : 'The mark is where another one takes its place'}>
      <span className={css.bar} aria-hidden data-over={age.isOver || undefined}>
        {age.isOver ? null : <span className={css.lived} data-late={age.isLate || undefined} style={{ width: `${(age.part * 100).toFixed(1)}%` }} />}
        {age.turn === null ? null : <span className={css.turn} style={{ left: `${(age.turn * 100).toFixed(1)}%` }} />}
      </span>
      <span className={css.ageText}>{text}</span>
    </span>
  )
}

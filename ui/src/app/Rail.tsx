import { Link } from '@tanstack/react-router'
import { addressOf, groups } from './navigation'
import { useCurrentTenant } from './last-tenant'
import type { StatusView } from '@/ipc/generated'
import { count } from '@/lib/format'
import css from './Rail.module.css'

type Counts = Pick<StatusView, 'waiting_approvals' | 'open_alerts' | 'open_incidents'>

/** The left rail: every page, in groups. */
export function Rail({ counts }: { counts: Counts }) {
  const current = useCurrentTenant()
  return (
    <nav className={css.rail} aria-label="Pages">
      {groups.map((group) => (
        <div key={group.title} className={css.group}>
          <div className={css.title}>{group.title}</div>
          {group.places.map((place) => (
            <Link
              key={place.page}
              to={addressOf(place, current) as '/'}
              className={css.place ?? ''}
              activeProps={{ 'data-active': true, 'aria-current': 'page' }}
              activeOptions={{ exact: place.below === 'root', includeSearch: false }}
            >
              <place.icon size={16} stroke={1.7} />
              <span className="grow ellipsis">{place.title}</span>
              {place.page === 'approvals' ? <Count of={counts.waiting_approvals} what="waiting" /> : null}
              {place.page === 'alerts' ? (
                <Count of={counts.open_alerts} what={counts.open_incidents > 0 ? `open, ${count(counts.open_incidents)} of them incidents` : 'open'} red={counts.open_incidents > 0} />
              ) : null}
            </Link>
          ))}
        </div>
      ))}
      <div className={css.foot}>
        <kbd>?</kbd> keys <kbd>Ctrl K</kbd> go to
      </div>
    </nav>
  )
}

/** How many wait for somebody. Red when somebody has to look now. */
function Count({ of, what, red = false }: { of: number; what: string; red?: boolean }) {
  if (of === 0) return null
  return (
    <span className={css.count} data-red={red || undefined} title={`${count(of)} ${what}`}>
      {of > 999 ? '999+' : count(of)}
    </span>
  )
}

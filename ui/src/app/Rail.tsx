import { Link } from '@tanstack/react-router'
import { addressOf, groups } from './navigation'
import { useCurrentTenant } from './last-tenant'
import css from './Rail.module.css'

/** The left rail: every page, in groups. */
export function Rail({ waiting }: { waiting: number }) {
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
              {place.page === 'approvals' && waiting > 0 ? (
                <span className={css.count} title={`${waiting} waiting`}>
                  {waiting}
                </span>
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

//! Whether somebody set the clock of the machine.
//!
//! While the process runs, the clock is held against one that nobody can set, where the system has
//! one. After a start it is held against the last event of the log.

use std::sync::PoisonError;
use std::time::Duration;

use cs_model::Timestamp;
use cs_model::event::{Actor, Event, EventKind};
use cs_registry::audit;

use crate::change::Topic;
use crate::core::Core;
use crate::failure::ControlError;
use crate::housekeeper;

/// How far back is still no news: events of one moment are written down in any order.
const BACK: Duration = Duration::from_secs(5);

/// How far ahead is still no news: clocks that were off are corrected after a start.
const AHEAD: Duration = Duration::from_secs(60);

/// What the clocks said together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    now: Timestamp,
    steady: Option<Duration>,
}

/// Looks at the clock, and puts on record that it was set.
pub(crate) async fn look(core: &Core) -> Result<(), ControlError> {
    let new = Mark { now: core.now(), steady: core.clock.steady() };
    let old = core.watch.clock.lock().unwrap_or_else(PoisonError::into_inner).replace(new);
    let old = match old {
        Some(old) => old,
        None => {
            let mut db = core.registry.read().await?;
            let Some(now) = audit::last_at(&mut db).await? else { return Ok(()) };
            Mark { now, steady: None }
        }
    };
    let Some(how) = moved(old, new) else { return Ok(()) };
    let event = Event {
        actor: Some(Actor::System),
        detail: Some(how),
        ..Event::new(EventKind::ClockMoved, new.now)
    };
    core.registry.record(vec![event]).await?;
    core.bell.ring(Topic::Audit);
    let ahead = new.now.since(due(old, new));
    if old.steady.is_some() && ahead > housekeeper::AHEAD {
        // By such a clock anything would be due.
        housekeeper::halt(core, old.now, &format!("ahead by {} s", ahead.as_secs())).await?;
    }
    Ok(())
}

/// What the clock should say, by the steady one. Where it is not known how much time passed, it was
/// none at least.
fn due(old: Mark, new: Mark) -> Timestamp {
    old.now.after(passed(old, new).unwrap_or_default())
}

fn passed(old: Mark, new: Mark) -> Option<Duration> {
    match (old.steady, new.steady) {
        (Some(before), Some(after)) => Some(after.saturating_sub(before)),
        (None, _) | (_, None) => None,
    }
}

/// How far the clock was set between two looks, in words.
fn moved(old: Mark, new: Mark) -> Option<String> {
    let due = due(old, new);
    let (back, ahead) = (due.since(new.now), new.now.since(due));
    if back > BACK {
        return Some(format!("back by {} s", back.as_secs()));
    }
    (passed(old, new).is_some() && ahead > AHEAD).then(|| format!("ahead by {} s", ahead.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(now: i64, steady: Option<u64>) -> Mark {
        Mark { now: Timestamp::from_secs(now), steady: steady.map(Duration::from_secs) }
    }

    #[test]
    fn a_clock_that_goes_like_the_steady_one_was_not_set() {
        assert_eq!(moved(mark(1000, Some(5)), mark(1001, Some(6))), None);
        assert_eq!(moved(mark(1000, Some(5)), mark(29_800, Some(28_805))), None, "after a sleep");
        assert_eq!(moved(mark(1000, Some(5)), mark(996, Some(6))), None, "a correction");
        assert_eq!(moved(mark(1000, None), mark(99_000, None)), None, "nobody knows");
    }

    #[test]
    fn f02_a_clock_that_was_set_back_or_ahead_is_noticed() {
        let back = moved(mark(1000, Some(5)), mark(995, Some(6)));
        assert_eq!(back.as_deref(), Some("back by 6 s"));
        let after_a_start = moved(mark(1000, None), mark(905, Some(6)));
        assert_eq!(after_a_start.as_deref(), Some("back by 95 s"));
        let ahead = moved(mark(1000, Some(5)), mark(4662, Some(6)));
        assert_eq!(ahead.as_deref(), Some("ahead by 3661 s"));
    }
}

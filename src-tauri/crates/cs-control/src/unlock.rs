//! Who is in front of a console: an operator whose key is unsealed, for as long as something
//! happens, or nobody. The gateway's own console is one seat, and each connection of a console on
//! another machine is one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cs_model::state::OperatorRole;
use cs_model::{OperatorId, Timestamp};
use cs_trust::OperatorKey;

use crate::failure::ControlError;

/// How long the console stays unlocked while nothing happens.
pub(crate) const IDLE: Duration = Duration::from_secs(10 * 60);

/// How many wrong passphrases are answered at once. Each further one makes the next wait longer.
const FREE: u32 = 5;

/// How long the next attempt has to wait at most.
const LONGEST_WAIT: u64 = 60;

/// An operator whose key is in memory.
#[derive(Clone, Debug)]
pub(crate) struct Unlocked {
    pub(crate) id: OperatorId,
    pub(crate) role: OperatorRole,
    pub(crate) key: Arc<OperatorKey>,
}

/// What has been tried in front of a console.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<Wrong>);

#[derive(Debug, Default)]
struct Wrong {
    count: u32,
    next: Timestamp,
}

/// Whose a console on another machine is.
#[derive(Clone, Debug)]
pub(crate) struct Whose {
    /// Nobody else unlocks it.
    pub(crate) operator: OperatorId,
    /// The address that it has now.
    pub(crate) from: String,
}

/// A place from which an operator works.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    unlocked: Mutex<Option<(Unlocked, Timestamp)>>,
    /// Shared by all seats of one console: connecting anew forgives nothing.
    tries: Arc<Tries>,
    whose: Option<Whose>,
}

impl Tries {
    fn wrong(&self) -> MutexGuard<'_, Wrong> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// The seat that a connection of a console on another machine is.
    pub(crate) fn of(whose: Whose, tries: Arc<Tries>) -> Self {
        Self { unlocked: Mutex::default(), tries, whose: Some(whose) }
    }

    /// Whose console it is, where it is on another machine.
    pub(crate) const fn whose(&self) -> Option<&Whose> {
        self.whose.as_ref()
    }

    /// The address that it has, where it is on another machine.
    pub(crate) fn from(&self) -> Option<String> {
        self.whose.as_ref().map(|it| it.from.clone())
    }

    fn unlocked(&self) -> MutexGuard<'_, Option<(Unlocked, Timestamp)>> {
        self.unlocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The operator who unlocked it, and until when. Nobody, once the time is up.
    pub(crate) fn operator(&self, now: Timestamp) -> Option<(Unlocked, Timestamp)> {
        self.unlocked().clone().filter(|(_, until)| now < *until)
    }

    /// Unlocks it for this operator.
    pub(crate) fn unlock(&self, operator: Unlocked, now: Timestamp) {
        self.was_right();
        *self.unlocked() = Some((operator, now.after(IDLE)));
    }

    /// Somebody is there: the idle time starts anew.
    pub(crate) fn touch(&self, now: Timestamp) {
        if let Some((_, until)) = &mut *self.unlocked()
            && now < *until
        {
            *until = now.after(IDLE);
        }
    }

    /// Locks it. Answers with who had it unlocked.
    pub(crate) fn lock(&self) -> Option<OperatorId> {
        self.unlocked().take().map(|(operator, _)| operator.id)
    }

    /// Locks it if its time is up. Answers with whose time that was.
    pub(crate) fn lock_if_idle(&self, now: Timestamp) -> Option<OperatorId> {
        let idle = self.unlocked().take_if(|(_, until)| *until <= now);
        idle.map(|(operator, _)| operator.id)
    }

    /// Whether a passphrase may be tried now. Asked before the work of trying it is done.
    pub(crate) fn may_try(&self, now: Timestamp) -> Result<(), ControlError> {
        let next = self.tries.wrong().next;
        if next <= now {
            return Ok(());
        }
        let secs = next.since(now).as_millis().div_ceil(1000);
        Err(ControlError::WrongPassphrase {
            message: format!("too many wrong passphrases; try again in {secs} s"),
        })
    }

    /// A passphrase was wrong.
    pub(crate) fn was_wrong(&self, now: Timestamp) -> ControlError {
        let mut wrong = self.tries.wrong();
        wrong.count = wrong.count.saturating_add(1);
        let Some(over) = wrong.count.checked_sub(FREE) else {
            return ControlError::WrongPassphrase {
                message: "this is not the passphrase; try again".to_owned(),
            };
        };
        let secs = 2_u64.saturating_pow(over).min(LONGEST_WAIT);
        wrong.next = now.after(Duration::from_secs(secs));
        ControlError::WrongPassphrase {
            message: format!(
                "this is not the passphrase; the next attempt is possible in {secs} s"
            ),
        }
    }

    /// A passphrase was right.
    pub(crate) fn was_right(&self) {
        self.tries.wrong().count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(43_200);

    fn operator() -> Unlocked {
        Unlocked {
            id: OperatorId::from_random([1; 16]),
            role: OperatorRole::Owner,
            key: Arc::new(OperatorKey::from_seed([7; 32]).unwrap()),
        }
    }

    #[test]
    fn the_console_locks_after_ten_idle_minutes() {
        let console = Seat::default();
        assert!(console.operator(NOON).is_none());
        console.unlock(operator(), NOON);
        let later = NOON.after(IDLE);
        let just_before = later.before(Duration::from_millis(1));
        assert!(console.operator(just_before).is_some());
        assert!(console.operator(later).is_none());
        console.touch(just_before);
        assert!(console.operator(later).is_some());
        assert_eq!(console.lock_if_idle(later), None);
        let end = just_before.after(IDLE);
        assert_eq!(console.lock_if_idle(end), Some(operator().id));
        console.touch(end);
        assert!(console.operator(end).is_none());
    }

    #[test]
    fn touching_a_console_whose_time_is_up_does_not_bring_it_back() {
        let console = Seat::default();
        console.unlock(operator(), NOON);
        let end = NOON.after(IDLE);
        console.touch(end);
        assert!(console.operator(end).is_none());
    }

    #[test]
    fn after_five_wrong_passphrases_each_next_one_waits_longer() {
        let console = Seat::default();
        for _ in 0..4 {
            console.was_wrong(NOON);
            assert!(console.may_try(NOON).is_ok());
        }
        let mut now = NOON;
        for secs in [1, 2, 4, 8, 16, 32, 60, 60] {
            console.was_wrong(now);
            let next = now.after(Duration::from_secs(secs));
            assert!(console.may_try(next.before(Duration::from_millis(1))).is_err(), "{secs}");
            assert!(console.may_try(next).is_ok(), "{secs}");
            now = next;
        }
        console.was_right();
        console.was_wrong(now);
        assert!(console.may_try(now).is_ok());
    }
}

//! Who is in front of a console: an operator whose key is unsealed, for as long as something
//! happens, or nobody. The gateway's own console is one seat, and each connection of a console on
//! another machine is one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cs_model::state::OperatorRole;
use cs_model::{OperatorId, Timestamp};
use cs_trust::OperatorKey;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard};

use crate::failure::ControlError;

/// How long the console stays unlocked while nothing happens.
pub(crate) const IDLE: Duration = Duration::from_secs(10 * 60);

/// How many wrong passphrases are answered at once. Each further one makes the next wait longer.
const FREE: u32 = 5;

/// How many passphrases somebody who is no owner chooses within an hour at most. One that is taken
/// says so, and so tells that it is somebody's.
const CHOICES: usize = 5;

/// In which time.
const CHOOSING: Duration = Duration::from_secs(60 * 60);

/// How long the next attempt has to wait at most.
const LONGEST_WAIT: u64 = 60;

/// An operator whose key is in memory.
#[derive(Clone, Debug)]
pub(crate) struct Unlocked {
    pub(crate) id: OperatorId,
    pub(crate) role: OperatorRole,
    pub(crate) key: Arc<OperatorKey>,
}

/// How much longer than [`IDLE`] a console may seem to have: clocks are set a little all the time.
const SLACK: Duration = Duration::from_secs(60);

/// What has been tried in front of a console.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    wrong: Mutex<Wrong>,
    /// Held by whoever tries one: guesses at the same time would all be the first.
    one: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct Wrong {
    count: u32,
    next: Timestamp,
    /// When somebody who is no owner chose a passphrase lately, oldest first.
    chosen: VecDeque<Timestamp>,
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
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// The operator who unlocked it, and until when. Nobody, once the time is up, or after the clock
    /// was set back: nobody knows then how long nothing has happened.
    pub(crate) fn operator(&self, now: Timestamp) -> Option<(Unlocked, Timestamp)> {
        self.unlocked().clone().filter(|(_, until)| is_open(*until, now))
    }

    /// Unlocks it for this operator.
    pub(crate) fn unlock(&self, operator: Unlocked, now: Timestamp) {
        self.was_right();
        *self.unlocked() = Some((operator, now.after(IDLE)));
    }

    /// Somebody is there: the idle time starts anew.
    pub(crate) fn touch(&self, now: Timestamp) {
        if let Some((_, until)) = &mut *self.unlocked()
            && is_open(*until, now)
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
        let idle = self.unlocked().take_if(|(_, until)| !is_open(*until, now));
        idle.map(|(operator, _)| operator.id)
    }

    /// Locks it if this operator has it unlocked. Says whether they had.
    pub(crate) fn lock_out(&self, id: OperatorId) -> bool {
        self.unlocked().take_if(|(operator, _)| operator.id == id).is_some()
    }

    /// Gives the operator another key, if they still have it unlocked.
    pub(crate) fn replace_key(&self, id: OperatorId, key: &Arc<OperatorKey>) {
        if let Some((operator, _)) = &mut *self.unlocked()
            && operator.id == id
        {
            operator.key = Arc::clone(key);
        }
    }

    /// Waits until nobody else tries a passphrase in front of it.
    pub(crate) async fn trying(&self) -> AsyncMutexGuard<'_, ()> {
        self.tries.one.lock().await
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

    /// Whether a passphrase may be chosen now, by somebody who is no owner. Counts as having done so.
    pub(crate) fn may_choose(&self, now: Timestamp) -> Result<(), ControlError> {
        let mut wrong = self.tries.wrong();
        wrong.chosen.retain(|at| now.since(*at) < CHOOSING);
        if wrong.chosen.len() >= CHOICES {
            return Err(ControlError::conflict(
                "too many passphrases were chosen here within an hour; try again later",
            ));
        }
        wrong.chosen.push_back(now);
        Ok(())
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

fn is_open(until: Timestamp, now: Timestamp) -> bool {
    now < until && until.since(now) <= IDLE.saturating_add(SLACK)
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
    fn o09_a_console_is_not_open_for_longer_because_the_clock_was_set_back() {
        let console = Seat::default();
        console.unlock(operator(), NOON);
        let a_little = NOON.before(Duration::from_secs(59));
        assert!(console.operator(a_little).is_some());
        let back = NOON.before(Duration::from_secs(3600));
        assert!(console.operator(back).is_none());
        console.touch(back);
        assert_eq!(console.lock_if_idle(a_little), None);
        assert_eq!(console.lock_if_idle(back), Some(operator().id));
        assert!(console.operator(NOON).is_none());
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

//! One count: how many there were in the time that ends now.
//!
//! The time is cut into slots and the oldest one counts whole until all of it is over. So there
//! are never more than the limit in any period of that length; after a burst it can take a
//! thirtieth longer before one more is let through.

use std::time::Duration;

use cs_model::Timestamp;

use super::TELL;

/// Into how many slots a time is cut.
const PARTS: i64 = 30;

/// One more, for the part of a slot that has begun.
const SLOTS: usize = 31;

/// One count.
#[derive(Debug)]
pub(super) struct Window {
    /// How long a slot is, in milliseconds.
    width: i64,
    /// The number of the slot that has begun.
    newest: i64,
    /// Its count, and those of the slots before it, by their numbers modulo [`SLOTS`].
    counts: [u32; SLOTS],
    /// How many were refused that nobody was told of, and when somebody last was.
    untold: u64,
    told: Option<Timestamp>,
}

impl Window {
    /// Nothing yet.
    pub(super) const fn new(time: Duration) -> Self {
        let (newest, counts) = (i64::MIN, [0; SLOTS]);
        Self { width: width_of(time), newest, counts, untold: 0, told: None }
    }

    /// Turns to the slot of now, and forgets what is over. Where the time is another one than
    /// before, what was counted goes on counting.
    pub(super) fn turn(&mut self, time: Duration, now: Timestamp) {
        let width = width_of(time);
        if width != self.width {
            self.recut(width, now);
        }
        // A clock that was set back changes nothing.
        let slot = now.millis().div_euclid(self.width).max(self.newest);
        if slot.saturating_sub(self.newest) >= PARTS.saturating_add(1) {
            self.counts = [0; SLOTS];
        } else {
            for over in self.newest.saturating_add(1)..=slot {
                self.set(over, 0);
            }
        }
        self.newest = slot;
    }

    fn recut(&mut self, width: i64, now: Timestamp) {
        let mut other = Self { width, newest: now.millis().div_euclid(width), ..Self::new(TELL) };
        (other.untold, other.told) = (self.untold, self.told);
        for (slot, count) in self.slots() {
            // As late as any of them can have been.
            let last = slot.saturating_add(1).saturating_mul(self.width).min(now.millis());
            let to = last.div_euclid(width);
            if other.newest.saturating_sub(to) <= PARTS {
                other.set(to, other.get(to).saturating_add(count));
            }
        }
        *self = other;
    }

    /// The slots that count, oldest first.
    fn slots(&self) -> impl Iterator<Item = (i64, u32)> {
        let oldest = self.newest.saturating_sub(PARTS);
        (oldest..=self.newest).map(|slot| (slot, self.get(slot)))
    }

    fn get(&self, slot: i64) -> u32 {
        place(slot).and_then(|at| self.counts.get(at)).copied().unwrap_or(0)
    }

    fn set(&mut self, slot: i64, count: u32) {
        if let Some(held) = place(slot).and_then(|at| self.counts.get_mut(at)) {
            *held = count;
        }
    }

    /// Counts one more, in the slot that was turned to.
    pub(super) fn count(&mut self) {
        self.set(self.newest, self.get(self.newest).saturating_add(1));
    }

    /// How many count.
    pub(super) fn sum(&self) -> u32 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How long it takes until one more is not too many, in seconds; nothing where it is not now.
    pub(super) fn wait_secs(&self, most: u32, now: Timestamp) -> Option<u64> {
        let mut left = self.sum();
        if left < most {
            return None;
        }
        let mut over = self.newest;
        for (slot, count) in self.slots() {
            left = left.saturating_sub(count);
            over = slot;
            if left < most {
                break;
            }
        }
        let free = over.saturating_add(PARTS).saturating_add(1).saturating_mul(self.width);
        let wait = Timestamp::from_millis(free).since(now).as_millis().div_ceil(1000);
        Some(u64::try_from(wait).unwrap_or(u64::MAX).max(1))
    }

    /// Counts one that was refused: how many were that nobody was told of, when it is time to.
    pub(super) fn tell(&mut self, now: Timestamp) -> Option<u64> {
        self.untold = self.untold.saturating_add(1);
        if self.told.is_some_and(|then| now.since(then) < TELL) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }

    /// Whether it has counted anything that may still count.
    pub(super) const fn is_running(&self, now: Timestamp) -> bool {
        let over = self.newest.saturating_add(PARTS).saturating_add(1).saturating_mul(self.width);
        now.millis() < over
    }
}

fn place(slot: i64) -> Option<usize> {
    usize::try_from(slot.rem_euclid(PARTS.saturating_add(1))).ok()
}

/// How long each of the slots is, in milliseconds: [`PARTS`] of them are the time or more.
const fn width_of(time: Duration) -> i64 {
    let millis = time.as_secs().saturating_mul(1000);
    let width = millis.div_ceil(30);
    if width == 0 || width > 86_400_000 { 86_400_000 } else { width.cast_signed() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_785_231_000_000_i64.saturating_add(millis))
    }

    fn taken(window: &mut Window, most: u32, time: Duration, now: Timestamp) -> bool {
        window.turn(time, now);
        let free = window.wait_secs(most, now).is_none();
        if free {
            window.count();
        }
        free
    }

    #[test]
    fn k16_in_no_period_of_the_time_are_there_more_than_the_limit() {
        for (time, step) in [(1_u64, 7), (10, 97), (60, 1009), (86_400, 1_000_003)] {
            let mut window = Window::new(Duration::from_secs(time));
            let mut let_through: Vec<i64> = Vec::new();
            for number in 0..3000_i64 {
                let now = number.saturating_mul(step);
                if taken(&mut window, 5, Duration::from_secs(time), at(now)) {
                    let_through.push(now);
                }
            }
            let span = i64::try_from(time.saturating_mul(1000)).unwrap();
            for burst in let_through.windows(6) {
                assert!(burst[5] - burst[0] >= span, "{time} s: {burst:?}");
            }
            // And it is no more than a thirtieth, and a step, longer than it has to be.
            let longest = span + span / 30 + 30 + step;
            for pair in let_through.windows(6) {
                assert!(pair[5] - pair[0] <= longest, "{time} s: {pair:?}");
            }
        }
    }

    #[test]
    fn whoever_comes_back_when_told_to_is_let_through() {
        let mut window = Window::new(HOUR);
        for step in 0..3 {
            assert!(taken(&mut window, 3, HOUR, at(step * 300_000)));
        }
        let now = at(15 * 60_000);
        window.turn(HOUR, now);
        let wait = window.wait_secs(3, now).unwrap();
        assert!((45 * 60..=47 * 60 + 1).contains(&wait), "{wait}");
        let then = now.after(Duration::from_secs(wait));
        assert!(taken(&mut window, 3, HOUR, then));
        assert!(!taken(&mut window, 3, HOUR, then), "only the oldest is over");
    }

    #[test]
    fn k16_another_limit_or_a_clock_that_is_set_back_does_not_begin_anew() {
        let mut window = Window::new(HOUR);
        for _ in 0..10 {
            assert!(taken(&mut window, 10, HOUR, at(0)));
        }
        assert!(!taken(&mut window, 10, HOUR, at(-7_200_000)), "set back");
        let minute = Duration::from_secs(60);
        assert!(!taken(&mut window, 10, minute, at(1000)), "shorter, but a moment ago");
        assert!(taken(&mut window, 11, minute, at(1000)), "one more was granted");
        assert!(!taken(&mut window, 11, HOUR, at(30_000)), "longer again");
        assert!(taken(&mut window, 10, minute, at(200_000)));
    }

    #[test]
    fn of_those_that_are_refused_it_is_told_at_once_and_then_by_the_minute() {
        let mut window = Window::new(HOUR);
        assert_eq!(window.tell(at(0)), Some(1));
        assert_eq!((window.tell(at(1)), window.tell(at(59_999))), (None, None));
        assert_eq!(window.tell(at(60_000)), Some(3));
        assert!(!window.is_running(at(0)));
        window.turn(HOUR, at(0));
        assert!(window.is_running(at(3_599_000)) && !window.is_running(at(3_840_000)));
    }
}

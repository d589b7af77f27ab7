//! How many calls were made in the last minute.

use std::sync::{Mutex, PoisonError};

use cs_model::Timestamp;

const SECONDS: usize = 60;

/// Counts calls by the second, for one minute.
#[derive(Debug)]
pub(crate) struct Meter(Mutex<[(i64, u64); SECONDS]>);

impl Default for Meter {
    fn default() -> Self {
        Self(Mutex::new([(i64::MIN, 0); SECONDS]))
    }
}

impl Meter {
    /// Counts a call.
    pub(crate) fn count(&self, now: Timestamp) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let second = now.secs();
        let place = usize::try_from(second.rem_euclid(60)).unwrap_or(0);
        if let Some(slot) = slots.get_mut(place) {
            let before = if slot.0 == second { slot.1 } else { 0 };
            *slot = (second, before.saturating_add(1));
        }
    }

    /// How many calls there were in the minute that ends now.
    pub(crate) fn last_minute(&self, now: Timestamp) -> u64 {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.secs().saturating_sub(60);
        slots
            .iter()
            .filter(|(second, _)| *second > since && *second <= now.secs())
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_for_a_minute_and_then_forgotten() {
        let meter = Meter::default();
        let at = |secs: i64| Timestamp::from_secs(1_000_000 + secs);
        meter.count(at(0));
        meter.count(at(0));
        meter.count(at(59));
        assert_eq!(meter.last_minute(at(59)), 3);
        assert_eq!(meter.last_minute(at(60)), 1);
        meter.count(at(60));
        assert_eq!(meter.last_minute(at(60)), 2);
        assert_eq!(meter.last_minute(at(500)), 0);
    }
}

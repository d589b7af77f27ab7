//! Anomalies of sessions that are under way.

use std::collections::HashMap;

use cs_model::SessionId;

/// How many sessions are remembered. All can be counted again from the log.
const MOST: usize = 16_384;

/// How many of the last events are named.
const NAMED: usize = 50;

#[derive(Debug, Default)]
struct Count {
    all: u64,
    last: Vec<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Strays(HashMap<SessionId, Count>);

impl Strays {
    pub(super) fn knows(&self, session: SessionId) -> bool {
        self.0.contains_key(&session)
    }

    pub(super) fn forget(&mut self, session: SessionId) {
        self.0.remove(&session);
    }

    /// Counts one more. `before` is what the log has, where the session is not known yet.
    pub(super) fn count(&mut self, session: SessionId, before: u64, seq: u64) -> (u64, Vec<u64>) {
        if self.0.len() >= MOST && !self.knows(session) {
            self.0.clear();
        }
        let fresh = || Count { all: before, last: Vec::new() };
        let count = self.0.entry(session).or_insert_with(fresh);
        count.all = count.all.saturating_add(1);
        count.last.push(seq);
        if count.last.len() > NAMED {
            count.last.remove(0);
        }
        (count.all, count.last.clone())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn sessions_cannot_fill_the_memory_and_are_counted_again_from_the_log() {
        let mut strays = Strays::default();
        let session = |number: usize| SessionId::new(Uuid::from_u128(number as u128));
        for number in 0..=MOST {
            strays.count(session(number), 0, 1);
        }
        assert!(strays.0.len() <= MOST);
        assert!(!strays.knows(session(0)));
        assert_eq!(strays.count(session(0), 3, 9), (4, vec![9]));
    }
}

//! Refused sign-ins of the last while, by who the caller claimed to be.

use std::collections::{HashMap, VecDeque};

use cs_model::{TenantId, Timestamp};

/// How many identities are remembered. Callers make them up: when there are more, those that were
/// heard of longest ago are forgotten.
const MOST: usize = 65_536;

/// How many failures of one identity are remembered: more than any rule can ask for.
const MOST_OF_ONE: usize = 128;

pub(super) type Identity = (Option<TenantId>, String);

#[derive(Debug, Default)]
pub(super) struct Failures(HashMap<Identity, VecDeque<(Timestamp, u64)>>);

impl Failures {
    /// Counts one more in. Answers with the failures of this identity within the window, this one
    /// included.
    pub(super) fn count(
        &mut self,
        identity: Identity,
        seq: u64,
        at: Timestamp,
        window_secs: u32,
    ) -> Vec<u64> {
        if self.0.len() >= MOST && !self.0.contains_key(&identity) {
            self.forget();
        }
        let own = self.0.entry(identity).or_default();
        own.push_back((at, seq));
        let reach = std::time::Duration::from_secs(super::Engine::REACH_SECS);
        own.retain(|(then, _)| at.since(*then) <= reach);
        while own.len() > MOST_OF_ONE {
            own.pop_front();
        }
        let window = std::time::Duration::from_secs(u64::from(window_secs));
        own.iter().filter(|(then, _)| at.since(*then) <= window).map(|(_, seq)| *seq).collect()
    }

    /// Forgets a quarter of the identities.
    fn forget(&mut self) {
        let last = |own: &VecDeque<(Timestamp, u64)>| own.back().map_or(0, |(_, seq)| *seq);
        let mut heard: Vec<u64> = self.0.values().map(last).collect();
        let quarter = heard.len().div_euclid(4);
        let (_, oldest, _) = heard.select_nth_unstable(quarter);
        let oldest = *oldest;
        self.0.retain(|_, own| last(own) > oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_identities_cannot_fill_the_memory() {
        let mut failures = Failures::default();
        for seq in 0..200_000_u64 {
            let at = Timestamp::from_millis(i64::try_from(seq).unwrap());
            failures.count((None, format!("csk_{seq}")), seq, at, 60);
        }
        assert!(failures.0.len() <= MOST);
        let last =
            failures.count((None, "csk_199999".to_owned()), 200_000, Timestamp::default(), 60);
        assert_eq!(last, [199_999, 200_000]);
    }

    #[test]
    fn of_one_identity_no_more_is_remembered_than_a_rule_can_ask_for() {
        let mut failures = Failures::default();
        let at = Timestamp::from_secs(1);
        let count = (0..1000).map(|seq| failures.count((None, String::new()), seq, at, 60).len());
        assert_eq!(count.max(), Some(MOST_OF_ONE));
    }
}

//! How often callers from one address may fail to prove who they are. Whoever fails too often is
//! turned away before anything is verified, so that a flood from one address keeps nobody else
//! waiting and does not fill the log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cs_model::Timestamp;

/// How many addresses are remembered at a time, and how often room is made for more.
const MOST: usize = 20_000;
const PRUNE: Duration = Duration::from_secs(1);

/// How often it is told of an address that callers from it were turned away.
const TELL: Duration = Duration::from_secs(60);

/// One failure is a thousand of these, so that they come back evenly.
const ONE: u64 = 1000;

/// Where a caller comes from: an address, or the network that one holder of IPv6 has.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Origin(IpAddr);

impl Origin {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(six) => {
                let [a, b, c, d, ..] = six.segments();
                Self(IpAddr::from([a, b, c, d, 0, 0, 0, 0]))
            }
            four @ IpAddr::V4(_) => Self(four),
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            IpAddr::V4(four) => write!(f, "{four}"),
            IpAddr::V6(six) => write!(f, "{six}/64"),
        }
    }
}

/// What is known of one origin.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// What it may still fail, in thousandths, at a moment.
    left: u64,
    at: Timestamp,
    /// How many were turned away that nobody was told of, and when somebody last was.
    turned_away: u64,
    told: Option<Timestamp>,
}

/// The origins that failed lately.
#[derive(Debug)]
pub(crate) struct Strangers {
    /// How many failures one origin has, and how many of them come back each second.
    failures: u64,
    each_second: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<Origin, Known>,
    pruned: Option<Timestamp>,
}

impl Strangers {
    /// Nobody failed yet.
    pub(crate) fn new(failures: u32, each_second: u32) -> Self {
        let each_second = u64::from(each_second);
        Self { failures: u64::from(failures), each_second, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an origin may still fail.
    fn left(&self, known: &Known, now: Timestamp) -> u64 {
        let passed = u64::try_from(now.since(known.at).as_millis()).unwrap_or(u64::MAX);
        let back = passed.saturating_mul(self.each_second);
        known.left.saturating_add(back).min(self.failures.saturating_mul(ONE))
    }

    /// Whether callers of an origin are turned away now.
    pub(crate) fn are_turned_away(&self, from: IpAddr, now: Timestamp) -> bool {
        let state = self.state();
        state.known.get(&Origin::of(from)).is_some_and(|known| self.left(known, now) < ONE)
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, from: IpAddr, now: Timestamp) {
        let mut state = self.state();
        self.make_room(&mut state, now);
        if let Some(known) = self.entry(&mut state, Origin::of(from), now) {
            known.left = known.left.saturating_sub(ONE);
        }
    }

    /// Counts one who was turned away: how many were that nobody was told of, when it is time to.
    pub(crate) fn turned_away(&self, from: IpAddr, now: Timestamp) -> Option<u64> {
        let mut state = self.state();
        let known = self.entry(&mut state, Origin::of(from), now)?;
        known.turned_away = known.turned_away.saturating_add(1);
        known.tell(now)
    }

    /// The origins of which it is time to tell, though nobody comes from there any more.
    pub(crate) fn untold(&self, now: Timestamp) -> Vec<(Origin, u64)> {
        let mut state = self.state();
        let all = state.known.iter_mut();
        all.filter_map(|(origin, known)| Some((*origin, known.tell(now)?))).collect()
    }

    /// What is known of an origin, up to now. Nothing of a new one when there is no room.
    fn entry<'s>(
        &self,
        state: &'s mut State,
        origin: Origin,
        now: Timestamp,
    ) -> Option<&'s mut Known> {
        let is_full = state.known.len() >= MOST;
        if is_full && !state.known.contains_key(&origin) {
            return None;
        }
        let left = self.failures.saturating_mul(ONE);
        let fresh = Known { left, at: now, turned_away: 0, told: None };
        let known = state.known.entry(origin).or_insert(fresh);
        known.left = self.left(known, now);
        known.at = now;
        Some(known)
    }

    /// Forgets the origins that have all their failures back.
    fn make_room(&self, state: &mut State, now: Timestamp) {
        let lately = state.pruned.is_some_and(|at| now.since(at) < PRUNE);
        if state.known.len() < MOST || lately {
            return;
        }
        state.pruned = Some(now);
        let whole = self.failures.saturating_mul(ONE);
        state.known.retain(|_, known| known.turned_away > 0 || self.left(known, now) < whole);
    }
}

impl Known {
    fn tell(&mut self, now: Timestamp) -> Option<u64> {
        let is_time = self.told.is_none_or(|at| now.since(at) >= TELL);
        if self.turned_away == 0 || !is_time {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.turned_away))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000_i64.saturating_add(millis))
    }

    #[test]
    fn j20_failures_run_out_and_come_back_evenly_for_each_origin_alone() {
        let strangers = Strangers::new(3, 2);
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..3 {
            assert!(!strangers.are_turned_away(one, at(0)));
            strangers.failed(one, at(0));
        }
        assert!(strangers.are_turned_away(one, at(0)) && !strangers.are_turned_away(other, at(0)));
        assert!(strangers.are_turned_away(one, at(499)));
        assert!(!strangers.are_turned_away(one, at(500)));
        strangers.failed(one, at(500));
        assert!(strangers.are_turned_away(one, at(999)));
        assert!(!strangers.are_turned_away(one, at(1000)));
        for _ in 0..3 {
            assert!(!strangers.are_turned_away(one, at(60_000)), "and no more than there were");
            strangers.failed(one, at(60_000));
        }
        assert!(strangers.are_turned_away(one, at(60_000)));
    }

    #[test]
    fn the_addresses_of_one_network_are_one_origin() {
        let origin = |text: &str| Origin::of(text.parse().unwrap()).to_string();
        assert_eq!(origin("2001:db8:1:2:3::4"), origin("2001:db8:1:2::9"));
        assert_ne!(origin("2001:db8:1:3::4"), origin("2001:db8:1:2::4"));
        assert_eq!(origin("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(origin("2001:db8::1"), "2001:db8::/64");
    }

    #[test]
    fn of_those_who_are_turned_away_is_told_at_once_and_then_by_the_minute() {
        let strangers = Strangers::new(1, 1);
        let from = "192.0.2.1".parse().unwrap();
        strangers.failed(from, at(0));
        assert_eq!(strangers.turned_away(from, at(0)), Some(1));
        assert_eq!(strangers.turned_away(from, at(1)), None);
        assert_eq!(strangers.turned_away(from, at(59_999)), None);
        assert_eq!(strangers.untold(at(59_999)), []);
        assert_eq!(strangers.untold(at(60_000)), [(Origin::of(from), 2)]);
        assert_eq!(strangers.untold(at(600_000)), [], "nobody came since");
    }

    #[test]
    fn no_flood_of_addresses_takes_more_than_its_room() {
        let strangers = Strangers::new(1, 1);
        for number in 0..MOST + 500 {
            let address = std::net::Ipv4Addr::from(u32::try_from(number).unwrap());
            strangers.failed(address.into(), at(0));
        }
        assert_eq!(strangers.state().known.len(), MOST);
        strangers.failed("192.0.2.1".parse().unwrap(), at(5000));
        assert_eq!(strangers.state().known.len(), 1, "the others have theirs back");
    }
}

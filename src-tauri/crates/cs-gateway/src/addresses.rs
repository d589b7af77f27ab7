//! What clients do by where they come from, so that one address cannot take what is there for all:
//! neither the connections nor the log.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use cs_model::Timestamp;

/// How many handshakes that failed are put on record in one minute: of one address, and of all.
const RECORDED: (u32, u32) = (10, 30);

/// The most addresses that are told apart in one minute. Those that come later share one place.
const MOST_PLACES: usize = 16_384;

/// An address as it is counted. Whoever has a network of IPv6 addresses has no more of anything
/// for that.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => {
            let network = u128::from(it) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        four @ IpAddr::V4(_) => four,
    }
}

/// The connections of each address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection that an address has, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    addresses: Addresses,
    place: IpAddr,
}

impl Addresses {
    /// Lets an address have one more connection, unless it has as many as it may.
    pub(crate) fn hold(&self, address: IpAddr, most: usize) -> Option<Held> {
        let place = place(address);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.entry(place).or_default();
        if *own >= most {
            return None;
        }
        *own = own.saturating_add(1);
        Some(Held { addresses: self.clone(), place })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = open.get(&self.place).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            open.remove(&self.place);
        } else {
            open.insert(self.place, left);
        }
    }
}

/// Counts what failed, by the minute and by address.
#[derive(Debug)]
pub(crate) struct Failures {
    of_one: u32,
    of_all: u32,
    minute: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    recorded: u32,
    missed: u64,
    places: HashMap<IpAddr, u32>,
}

/// What is to be done about something that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Counted {
    /// Whether it is to be put on record.
    pub(crate) told: bool,
    /// How many were not, in a minute that is over and of which nobody was told yet.
    pub(crate) missed: u64,
    /// The how many-th of its address in this minute it is.
    pub(crate) nth: u32,
}

impl Counted {
    /// What was not recorded, for a person.
    pub(crate) fn sentence(&self) -> String {
        format!("{} more failed", self.missed)
    }
}

impl Failures {
    /// Puts so many on record in one minute: of one address, and of all.
    pub(crate) fn new(of_one: u32, of_all: u32) -> Self {
        Self { of_one, of_all, minute: Mutex::default() }
    }

    /// Those of handshakes.
    pub(crate) fn of_handshakes() -> Self {
        Self::new(RECORDED.0, RECORDED.1)
    }

    /// Counts one more.
    pub(crate) fn count(&self, address: IpAddr, now: Timestamp) -> Counted {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = minute.turn(now);
        let known = minute.places.len() < MOST_PLACES;
        let place = if known { place(address) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
        let own = minute.places.entry(place).or_default();
        *own = own.saturating_add(1);
        let nth = *own;
        let told = nth <= self.of_one && minute.recorded < self.of_all;
        if told {
            minute.recorded = minute.recorded.saturating_add(1);
        } else {
            minute.missed = minute.missed.saturating_add(1);
        }
        Counted { told, missed, nth }
    }

    /// How many of an address failed in this minute.
    pub(crate) fn of(&self, address: IpAddr, now: Timestamp) -> u32 {
        let minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let current = minute.number == now.secs().div_euclid(60);
        if current { minute.places.get(&place(address)).copied().unwrap_or(0) } else { 0 }
    }
}

impl Minute {
    /// Begins anew when the minute is over. Says how many it did not record.
    fn turn(&mut self, now: Timestamp) -> u64 {
        let number = now.secs().div_euclid(60);
        if self.number == number {
            return 0;
        }
        let missed = self.missed;
        *self = Self { number, ..Self::default() };
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(6_000_000_i64.saturating_add(secs))
    }

    fn other(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn of_many_failures_a_few_are_recorded_and_the_rest_counted() {
        let failures = Failures::new(10, 30);
        let told = (0..100).filter(|_| failures.count(ONE, at(1)).told).count();
        assert_eq!(told, 10);
        assert!(failures.count(other(8), at(2)).told, "one address does not silence another");
        for last in 100..=200 {
            failures.count(other(last), at(3));
        }
        assert!(!failures.count(other(9), at(59)).told, "and all together have an end");
        assert_eq!(failures.of(ONE, at(59)), 100);
        assert_eq!(failures.of(ONE, at(60)), 0);
        let counted = failures.count(ONE, at(60));
        assert_eq!(counted, Counted { told: true, missed: 90 + 82 + 1, nth: 1 });
        assert_eq!(failures.count(ONE, at(61)).missed, 0);
    }

    #[test]
    fn an_address_has_so_many_connections_and_gets_them_back() {
        let addresses = Addresses::default();
        let held: Vec<_> = (0..3).filter_map(|_| addresses.hold(ONE, 2)).collect();
        assert_eq!(held.len(), 2);
        assert!(addresses.hold(other(8), 2).is_some());
        drop(held);
        assert!(addresses.hold(ONE, 1).is_some());
        assert!(addresses.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_network_of_ipv6_addresses_counts_as_one() {
        let addresses = Addresses::default();
        let [a, b, c] = ["2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"]
            .map(|it| it.parse::<IpAddr>().unwrap());
        let held = addresses.hold(a, 1);
        assert!(held.is_some() && addresses.hold(b, 1).is_none());
        assert!(addresses.hold(c, 1).is_some());
        let mapped = "::ffff:192.0.2.7".parse().unwrap();
        let held = addresses.hold(ONE, 1);
        assert!(held.is_some() && addresses.hold(mapped, 1).is_none());
    }
}

//! How often an issuer may be asked: by one address, by one client, and in vain.
//!
//! Windows of a minute, each from its first request on. Whoever is refused waits for the end of
//! the window. A client is counted only once it has proven who it is, so that nobody can use up
//! somebody else's.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cs_model::{CredentialId, Timestamp};

use crate::strangers::Origin;

/// How long a window is.
const WINDOW: Duration = Duration::from_secs(60);

/// How many windows are kept. Beyond them the oldest are not: all that have not ended begin anew.
const MOST: usize = 20_000;

/// How often an issuer may be asked in one minute.
#[derive(Clone, Copy, Debug)]
pub struct IssuerLimits {
    /// By one address, or by one network of IPv6 (`/64`).
    pub address: u32,
    /// By one client.
    pub client: u32,
    /// In vain: by one address that does not prove who it is.
    pub failures: u32,
}

impl Default for IssuerLimits {
    fn default() -> Self {
        Self { address: 600, client: 60, failures: 30 }
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Asked {
    Address(Origin),
    Client(CredentialId),
    Failures(Origin),
}

/// Too many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Exceeded {
    /// Whether it is the first of its window that is refused.
    pub(super) first: bool,
    /// When to come back, in seconds.
    pub(super) wait_secs: u64,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Timestamp,
    count: u32,
    told: bool,
}

/// How often the issuers were asked lately.
#[derive(Debug)]
pub(crate) struct Quota {
    limits: IssuerLimits,
    windows: Mutex<HashMap<Asked, Window>>,
}

impl Quota {
    /// Nobody has asked yet.
    pub(crate) fn new(limits: IssuerLimits) -> Self {
        Self { limits, windows: Mutex::default() }
    }

    /// Counts one more, unless there were too many.
    pub(super) fn take(&self, asked: Asked, now: Timestamp) -> Result<(), Exceeded> {
        self.count(asked, now, 1)
    }

    /// Says whether one more would be too many.
    pub(super) fn look(&self, asked: Asked, now: Timestamp) -> Result<(), Exceeded> {
        self.count(asked, now, 0)
    }

    fn count(&self, asked: Asked, now: Timestamp, more: u32) -> Result<(), Exceeded> {
        let most = match asked {
            Asked::Address(_) => self.limits.address,
            Asked::Client(_) => self.limits.client,
            Asked::Failures(_) => self.limits.failures,
        };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST && !windows.contains_key(&asked) {
            windows.retain(|_, window| window.lasts(now));
            if windows.len() >= MOST {
                windows.clear();
            }
        }
        let window = windows.entry(asked).or_insert(Window { began: now, count: 0, told: false });
        if !window.lasts(now) {
            *window = Window { began: now, count: 0, told: false };
        }
        if window.count < most {
            window.count = window.count.saturating_add(more);
            return Ok(());
        }
        let first = !std::mem::replace(&mut window.told, true);
        let left = WINDOW.saturating_sub(now.since(window.began)).as_millis().div_ceil(1000);
        let wait_secs = u64::try_from(left).unwrap_or(u64::MAX).max(1);
        Err(Exceeded { first, wait_secs })
    }
}

impl Window {
    fn lasts(&self, now: Timestamp) -> bool {
        now.since(self.began) < WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_a_minute_after_its_first_request_and_counts_its_own() {
        let quota = Quota::new(IssuerLimits { address: 2, client: 1, failures: 1 });
        let at = |secs: i64| Timestamp::from_secs(1_000_000 + secs);
        let origin = |from: &str| Origin::of(from.parse().unwrap());
        let one = origin("192.0.2.1");
        let ask = |from: &str, secs| quota.take(Asked::Address(origin(from)), at(secs));
        assert_eq!((ask("192.0.2.1", 0), ask("192.0.2.1", 20)), (Ok(()), Ok(())));
        let refused = Exceeded { first: true, wait_secs: 30 };
        assert_eq!(ask("::ffff:192.0.2.1", 30), Err(refused));
        assert_eq!(ask("192.0.2.1", 59), Err(Exceeded { first: false, wait_secs: 1 }));
        assert_eq!(ask("192.0.2.2", 59), Ok(()));
        assert_eq!(ask("192.0.2.1", 60), Ok(()));
        assert_eq!(quota.look(Asked::Failures(one), at(0)), Ok(()));
        assert_eq!(quota.take(Asked::Failures(one), at(0)), Ok(()));
        assert!(quota.look(Asked::Failures(one), at(1)).is_err());

        assert_eq!(ask("2001:db8::1", 0), Ok(()));
        assert_eq!(ask("2001:db8::2", 0), Ok(()));
        assert!(ask("2001:db8::3", 0).is_err());
        assert_eq!(ask("2001:db8:0:1::3", 0), Ok(()));
    }

    #[test]
    fn no_crowd_makes_it_grow_without_bound() {
        let quota = Quota::new(IssuerLimits::default());
        for number in 0..50_000_u32 {
            let from = Origin::of(std::net::IpAddr::V4(number.into()));
            quota.take(Asked::Address(from), Timestamp::from_secs(1)).unwrap();
        }
        assert!(quota.windows.lock().unwrap().len() <= MOST);
    }
}

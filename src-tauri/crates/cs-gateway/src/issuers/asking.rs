//! How asking the providers about tokens goes, and who may ask at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cs_model::{ProviderId, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::source::News;
use crate::strangers::Origin;
use crate::trail::neutral;

/// The places of those for whom providers are asked. Strangers from one address never take all.
#[derive(Debug)]
pub(super) struct Seats {
    all: Semaphore,
    strangers: Mutex<HashMap<Origin, usize>>,
    most_of_one: usize,
}

/// A place, for as long as it is held.
#[derive(Debug)]
pub(super) struct Seat<'s> {
    _one: SemaphorePermit<'s>,
    stranger: Option<(&'s Seats, Origin)>,
}

impl Seats {
    pub(super) fn new(most: usize, most_of_one: usize) -> Self {
        Self { all: Semaphore::new(most), strangers: Mutex::default(), most_of_one }
    }

    fn strangers(&self) -> MutexGuard<'_, HashMap<Origin, usize>> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place, if there is one.
    pub(super) fn take(&self, stranger: Option<IpAddr>) -> Option<Seat<'_>> {
        let one = self.all.try_acquire().ok()?;
        let Some(origin) = stranger.map(Origin::of) else {
            return Some(Seat { _one: one, stranger: None });
        };
        let mut strangers = self.strangers();
        let taken = strangers.entry(origin).or_default();
        if *taken >= self.most_of_one {
            return None;
        }
        *taken = taken.saturating_add(1);
        Some(Seat { _one: one, stranger: Some((self, origin)) })
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let Some((seats, origin)) = self.stranger else { return };
        let mut strangers = seats.strangers();
        match strangers.get_mut(&origin) {
            Some(taken) if *taken > 1 => *taken = taken.saturating_sub(1),
            Some(_) | None => drop(strangers.remove(&origin)),
        }
    }
}

/// How asking an identity provider about tokens goes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IntrospectionStatus {
    /// Since when there is no answer that can be used.
    pub failing_since: Option<Timestamp>,
    /// What went wrong last, in one neutral line.
    pub last_error: Option<String>,
    /// How often it was asked.
    pub asked: u64,
}

/// What is known of every provider that was asked.
#[derive(Debug, Default)]
pub(super) struct Asking(Mutex<HashMap<ProviderId, Known>>);

#[derive(Debug)]
struct Known {
    /// Where it was asked. What is known counts for no other place.
    endpoint: String,
    status: IntrospectionStatus,
}

impl Asking {
    fn known(&self) -> MutexGuard<'_, HashMap<ProviderId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in how asking went, and says what of it is worth being put on record.
    pub(super) fn learn(
        &self,
        provider: ProviderId,
        endpoint: &str,
        failed: Option<&str>,
        now: Timestamp,
    ) -> Option<News> {
        let mut known = self.known();
        let fresh =
            || Known { endpoint: endpoint.to_owned(), status: IntrospectionStatus::default() };
        let found = known.entry(provider).or_insert_with(fresh);
        if found.endpoint != endpoint {
            *found = fresh();
        }
        let status = &mut found.status;
        status.asked = status.asked.saturating_add(1);
        status.last_error = failed.map(neutral);
        match (status.failing_since, &status.last_error) {
            (None, Some(why)) => {
                status.failing_since = Some(now);
                Some(News::NotAnswering(why.clone()))
            }
            (Some(_), None) => {
                status.failing_since = None;
                Some(News::Answering)
            }
            (None, None) | (Some(_), Some(_)) => None,
        }
    }

    /// How asking at this place goes.
    pub(super) fn status(&self, provider: ProviderId, endpoint: &str) -> IntrospectionStatus {
        let known = self.known();
        let found = known.get(&provider).filter(|it| it.endpoint == endpoint);
        found.map(|it| it.status.clone()).unwrap_or_default()
    }

    /// Forgets the providers that are gone.
    pub(super) fn keep(&self, is_known: impl Fn(&ProviderId) -> bool) {
        self.known().retain(|id, _| is_known(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j20_strangers_of_one_address_leave_places_for_the_others() {
        let seats = Seats::new(4, 2);
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = seats.take(Some(one)).unwrap();
        let _second = seats.take(Some(one)).unwrap();
        assert!(seats.take(Some(one)).is_none());
        let _known = seats.take(None).unwrap();
        let last = seats.take(Some(other)).unwrap();
        assert!(seats.take(None).is_none(), "there are no more than that");
        drop(first);
        assert!(seats.take(Some(one)).is_some());
        drop(last);
        assert_eq!(seats.strangers().len(), 1, "who has left takes no room");
    }

    #[test]
    fn an_outage_is_told_when_it_begins_and_when_it_ends() {
        let (asking, id) = (Asking::default(), ProviderId::from_random([1; 16]));
        let at = Timestamp::from_secs;
        assert_eq!(asking.learn(id, "a", None, at(1)), None);
        let begins = asking.learn(id, "a", Some("it answered 500"), at(2));
        assert_eq!(begins, Some(News::NotAnswering("it answered 500".to_owned())));
        assert_eq!(asking.learn(id, "a", Some("late"), at(3)), None);
        let status = asking.status(id, "a");
        assert_eq!((status.failing_since, status.asked), (Some(at(2)), 3));
        assert_eq!(status.last_error.as_deref(), Some("late"));
        assert_eq!(asking.learn(id, "a", None, at(4)), Some(News::Answering));
        assert_eq!(asking.status(id, "a").last_error, None);
        assert_eq!(asking.status(id, "b"), IntrospectionStatus::default());
        assert!(matches!(asking.learn(id, "b", Some("x"), at(5)), Some(News::NotAnswering(_))));
        assert_eq!(asking.status(id, "b").asked, 1, "another place is another matter");
        asking.keep(|_| false);
        assert_eq!(asking.status(id, "b"), IntrospectionStatus::default());
    }
}

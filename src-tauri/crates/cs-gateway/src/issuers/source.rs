//! What is known of the keys of one provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cs_model::identity::TokenAlgorithm;
use cs_model::{Digest, Timestamp};
use cs_trust::token::{self, KeySet, KeySetError};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{IgnoredKey, ProviderKey, ProviderStanding, ProviderStatus};
use crate::fetch::FetchError;
use crate::trail::neutral;
use crate::world::Provider;

/// How old keys may be before they are fetched again.
const REFRESH: Duration = Duration::from_secs(300);

/// How long after a token that named an unknown key the keys are fetched for another such token,
/// and how long a key that was not found stays unknown.
const SEEK: Duration = Duration::from_secs(30);
const UNKNOWN: Duration = Duration::from_secs(300);

/// How long after an attempt that failed the next one is made.
const RETRY: Duration = Duration::from_secs(5);

/// How long after their last use keys are kept fresh.
const IN_USE: Duration = Duration::from_secs(900);

/// How many may wait for the same keys, and how many unknown keys are remembered.
const MOST_WAITING: usize = 64;
const MOST_UNKNOWN: usize = 256;

/// What is worth being put on record.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum News {
    /// It answers questions about tokens again.
    Answering,
    /// Other keys than before.
    KeysChanged(String),
    /// It does not answer questions about tokens any more.
    NotAnswering(String),
    /// It can be reached again.
    Recovered,
    /// It cannot be reached any more, or publishes nothing that can be used.
    Unreachable(String),
}

/// What is known of the keys of one provider.
#[derive(Debug)]
pub(super) struct Source {
    issuer: String,
    jwks_uri: String,
    private_network: bool,
    usable: Duration,
    state: Mutex<State>,
    flight: tokio::sync::Mutex<()>,
    seats: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    text: Option<Digest>,
    fetched: Option<Timestamp>,
    tried: Option<Timestamp>,
    /// When somebody last set out to refresh them.
    begun: Option<Timestamp>,
    /// When the keys were last fetched for an unknown one, and how many attempts there had been.
    sought: Option<(Timestamp, u64)>,
    used: Option<Timestamp>,
    failing: Option<Timestamp>,
    error: Option<String>,
    ignored: Vec<IgnoredKey>,
    attempts: u64,
    unknown: HashMap<String, Timestamp>,
}

impl Source {
    /// Nothing is known yet.
    pub(super) fn new(provider: &Provider) -> Self {
        let settings = &provider.settings;
        Self {
            issuer: settings.issuer.clone(),
            jwks_uri: settings.jwks_uri.clone(),
            private_network: settings.private_network,
            usable: usable_for(settings.stale_secs),
            state: Mutex::default(),
            flight: tokio::sync::Mutex::default(),
            seats: Semaphore::new(MOST_WAITING),
        }
    }

    /// Whether this is what is known of the provider as it is set up now.
    pub(super) fn is_of(&self, provider: &Provider) -> bool {
        let settings = &provider.settings;
        self.issuer == settings.issuer
            && self.jwks_uri == settings.jwks_uri
            && self.private_network == settings.private_network
            && self.usable == usable_for(settings.stale_secs)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that the keys are needed.
    pub(super) fn used(&self, now: Timestamp) {
        self.state().used = Some(now);
    }

    /// Whether the keys were needed lately.
    pub(super) fn is_in_use(&self, now: Timestamp) -> bool {
        self.state().used.is_some_and(|at| apart(at, now) < IN_USE)
    }

    /// The keys, if they may be used.
    pub(super) fn usable(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let state = self.state();
        let at = state.fetched?;
        if apart(at, now) < self.usable { state.keys.clone() } else { None }
    }

    /// Whether the keys should be fetched again: the number of attempts so far, for the first who
    /// asks.
    pub(super) fn due(&self, now: Timestamp) -> Option<u64> {
        let mut state = self.state();
        let old = state.fetched.is_none_or(|at| apart(at, now) >= REFRESH);
        let lately = [state.tried, state.begun].into_iter().flatten();
        if !(old || state.failing.is_some()) || lately.into_iter().any(|at| apart(at, now) < RETRY)
        {
            return None;
        }
        state.begun = Some(now);
        Some(state.attempts)
    }

    /// Whether enough time has passed since the last attempt.
    pub(super) fn may_retry(&self, now: Timestamp) -> bool {
        self.state().tried.is_none_or(|at| apart(at, now) >= RETRY)
    }

    /// Counts the attempts: whoever sees another number than before need not make one.
    pub(super) fn attempts(&self) -> u64 {
        self.state().attempts
    }

    /// A place among those who wait for the keys, if there is one.
    pub(super) fn seat(&self) -> Option<SemaphorePermit<'_>> {
        self.seats.try_acquire().ok()
    }

    /// Waits until nobody else fetches.
    pub(super) async fn flight(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.flight.lock().await
    }

    /// Whether the keys are worth fetching for a token that names this one: the number of attempts
    /// so far, if they are. Who asks while they are being fetched waits for that, and who asks soon
    /// after it does not have them fetched again.
    pub(super) fn seek(&self, key_id: &str, now: Timestamp) -> Option<u64> {
        let mut state = self.state();
        if state.keys.as_ref().is_some_and(|keys| keys.has(key_id)) {
            return None;
        }
        if state.unknown.get(key_id).is_some_and(|at| apart(*at, now) < UNKNOWN) {
            return None;
        }
        match state.sought {
            Some((at, seen)) if apart(at, now) < SEEK => (seen == state.attempts).then_some(seen),
            Some(_) | None => {
                state.sought = Some((now, state.attempts));
                Some(state.attempts)
            }
        }
    }

    /// What came of looking for a key: the keys that may be used, if it is among them.
    pub(super) fn found(&self, key_id: &str, now: Timestamp) -> Option<Arc<KeySet>> {
        if let Some(keys) = self.usable(now).filter(|keys| keys.has(key_id)) {
            return Some(keys);
        }
        let mut state = self.state();
        let answered = state.failing.is_none() && state.attempts > 0;
        if answered && state.unknown.len() < MOST_UNKNOWN {
            state.unknown.entry(key_id.to_owned()).or_insert(now);
        }
        None
    }

    /// Whether it cannot be reached now.
    pub(super) fn is_failing(&self) -> bool {
        self.state().failing.is_some()
    }

    /// Takes in what was fetched, and says what of it is worth being put on record. A set without
    /// a key that can be used does not replace a good one.
    pub(super) fn learn(&self, fetched: Result<Bytes, FetchError>, now: Timestamp) -> Vec<News> {
        let mut state = self.state();
        state.attempts = state.attempts.wrapping_add(1);
        state.tried = Some(now);
        state.unknown.retain(|_, at| apart(*at, now) < UNKNOWN);
        let read = match fetched {
            Ok(text) => {
                let digest = Digest::of(&text);
                if state.text == Some(digest) && state.keys.is_some() {
                    return state.reached(now);
                }
                token::KeySet::parse(&text).map(|keys| (keys, digest)).map_err(|error| {
                    if let KeySetError::NoKey { ignored } = &error {
                        state.ignored = ignored.iter().map(shown).collect();
                    }
                    error.to_string()
                })
            }
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok((keys, digest)) => {
                let changed = state.change(&keys);
                state.ignored = keys.ignored().iter().map(shown).collect();
                state.keys = Some(Arc::new(keys));
                state.text = Some(digest);
                state.unknown.clear();
                let mut news = state.reached(now);
                news.extend(changed);
                news
            }
            Err(why) => {
                let why = neutral(&why);
                state.error = Some(why.clone());
                let begins = state.failing.is_none();
                state.failing.get_or_insert(now);
                if begins { vec![News::Unreachable(why)] } else { Vec::new() }
            }
        }
    }

    /// How it fares.
    pub(super) fn status(&self, now: Timestamp) -> ProviderStatus {
        let usable = self.usable(now).is_some();
        let state = self.state();
        let standing = match (state.failing.is_some(), usable) {
            _ if state.attempts == 0 => ProviderStanding::Unused,
            (false, true) => ProviderStanding::Fresh,
            (true, true) => ProviderStanding::Cached,
            // Nobody needed them for so long that they have to be fetched first.
            (false, false) => ProviderStanding::Unused,
            (true, false) => ProviderStanding::Refusing,
        };
        let keys = state.keys.as_ref().map(|keys| keys.keys().map(key).collect());
        ProviderStatus {
            standing,
            keys: keys.unwrap_or_default(),
            ignored: state.ignored.clone(),
            fetched: state.fetched,
            failing_since: state.failing,
            last_error: state.error.clone(),
            introspection: None,
        }
    }
}

impl State {
    /// It answered.
    fn reached(&mut self, now: Timestamp) -> Vec<News> {
        self.fetched = Some(now);
        self.error = None;
        if self.failing.take().is_some() && self.keys.is_some() && self.attempts > 1 {
            vec![News::Recovered]
        } else {
            Vec::new()
        }
    }

    /// What is different about the keys, unless they are the first.
    fn change(&self, new: &KeySet) -> Option<News> {
        let old = self.keys.as_ref()?;
        let listed = |of: &KeySet, but: &KeySet| {
            let only = of.key_ids().filter(|id| !but.has(id)).map(neutral);
            only.collect::<Vec<_>>().join(", ")
        };
        let (added, removed) = (listed(new, old), listed(old, new));
        let said = match (added.is_empty(), removed.is_empty()) {
            (false, false) => format!("new: {added}; gone: {removed}"),
            (false, true) => format!("new: {added}"),
            (true, false) => format!("gone: {removed}"),
            (true, true) => "other keys under the same ids".to_owned(),
        };
        Some(News::KeysChanged(said))
    }
}

/// How long keys may be used after they were fetched. Whatever is said of outages, keys that are
/// not due yet may be used.
fn usable_for(stale_secs: u32) -> Duration {
    REFRESH.max(Duration::from_secs(stale_secs.into()))
}

/// How far two moments are from each other. A clock that was set back makes nothing younger.
fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

fn shown(key: &token::IgnoredKey) -> IgnoredKey {
    IgnoredKey { key_id: key.key_id.as_deref().map(neutral), reason: key.reason.to_string() }
}

fn key((key_id, algorithms): (Option<&str>, Vec<TokenAlgorithm>)) -> ProviderKey {
    let algorithms: Vec<_> = algorithms.iter().map(|it| it.as_str()).collect();
    ProviderKey { key_id: key_id.map(neutral), algorithms: algorithms.join(" ") }
}

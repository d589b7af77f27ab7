//! Which resources of a server somebody wants to hear of, and what the server makes of that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The most resources of one server that are watched.
const MOST: usize = 1024;

/// The resources of one server that somebody wants to hear of. They outlive a connection: the next
/// one asks for them anew.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    counts: Mutex<BTreeMap<String, usize>>,
    /// Counts the changes of which there are any.
    version: watch::Sender<u64>,
}

/// One of whoever wants to hear of a resource. Nobody does any more when the last is dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    watches: Arc<Watches>,
    uri: String,
}

impl Watches {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody wants to hear of a resource. Says from which version on the server is asked for
    /// it, too. Nothing when too many are watched.
    pub(crate) fn take(self: &Arc<Self>, uri: &str) -> Option<(Watched, u64)> {
        let mut counts = self.counts();
        if counts.len() >= MOST && !counts.contains_key(uri) {
            return None;
        }
        let count = counts.entry(uri.to_owned()).or_default();
        *count = count.saturating_add(1);
        if *count == 1 {
            self.version.send_modify(|version| *version = version.saturating_add(1));
        }
        let version = *self.version.borrow();
        drop(counts);
        Some((Watched { watches: Arc::clone(self), uri: uri.to_owned() }, version))
    }

    /// What is watched now, and the version of that.
    pub(crate) fn wanted(&self) -> (u64, BTreeSet<String>) {
        let counts = self.counts();
        (*self.version.borrow(), counts.keys().cloned().collect())
    }

    /// Hears of changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut counts = self.watches.counts();
        let left = counts.get(&self.uri).copied().unwrap_or_default().saturating_sub(1);
        if left > 0 {
            counts.insert(self.uri.clone(), left);
        } else {
            counts.remove(&self.uri);
            self.watches.version.send_modify(|version| *version = version.saturating_add(1));
        }
    }
}

/// What a server was asked to tell of over one connection, and what it does.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Of which version this is.
    pub(super) version: u64,
    /// What it tells of.
    pub(super) told: BTreeSet<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k16_a_resource_is_watched_as_long_as_anybody_does_and_not_too_many_are() {
        let watches = Arc::new(Watches::default());
        let (first, version) = watches.take("a:1").unwrap();
        let (second, same) = watches.take("a:1").unwrap();
        assert_eq!((version, same), (1, 1));
        drop(first);
        assert_eq!(watches.wanted(), (1, BTreeSet::from(["a:1".to_owned()])));
        drop(second);
        assert_eq!(watches.wanted(), (2, BTreeSet::new()));
        let all: Vec<_> = (0..MOST).map(|it| watches.take(&format!("a:{it}")).unwrap()).collect();
        assert!(watches.take("a:more").is_none());
        assert!(watches.take("a:7").is_some(), "it is watched already");
        drop(all);
        assert_eq!(watches.wanted().1, BTreeSet::new());
    }
}

//! The resources of which the client of a session wants to hear.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cs_model::ServerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::upstream::Watched;

/// The most resources that a session hears of.
const MOST: usize = 256;

/// One resource of which a client wants to hear, as long as this is there.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) server: ServerId,
    pub(crate) uri: String,
    #[expect(dead_code, reason = "the server is asked for it as long as this is there")]
    watched: Watched,
    #[expect(dead_code, reason = "it takes a place as long as this is there")]
    place: OwnedSemaphorePermit,
}

impl Watch {
    pub(crate) const fn new(
        server: ServerId,
        uri: String,
        watched: Watched,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self { server, uri, watched, place }
    }

    /// Whether this is about what has changed: the resource itself, or one below it.
    pub(crate) fn is_about(&self, server: ServerId, changed: &str) -> bool {
        let below = changed.strip_prefix(self.uri.as_str());
        let below =
            below.is_some_and(|it| it.is_empty() || it.starts_with('/') || self.uri.ends_with('/'));
        self.server == server && below
    }
}

/// What a session watches. A client of the older era says so once for all of it; one of the newer
/// era has it on its stream, and only the places are counted here.
#[derive(Debug)]
pub(crate) struct Watching {
    all: Mutex<BTreeMap<String, Watch>>,
    places: Arc<Semaphore>,
}

impl Default for Watching {
    fn default() -> Self {
        Self { all: Mutex::default(), places: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Watching {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Watch>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more. Nothing when there are too many.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// The client wants to hear of this from now on.
    pub(crate) fn begin(&self, watch: Watch) {
        self.all().insert(watch.uri.clone(), watch);
    }

    /// The client does not want to hear of this any more.
    pub(crate) fn end(&self, uri: &str) {
        self.all().remove(uri);
    }

    /// Nobody does.
    pub(crate) fn clear(&self) {
        self.all().clear();
    }

    /// Keeps only these.
    pub(crate) fn retain(&self, mut keeps: impl FnMut(&Watch) -> bool) {
        self.all().retain(|_, watch| keeps(watch));
    }

    /// The URI under which what has changed is watched, if it is.
    pub(crate) fn about(&self, server: ServerId, changed: &str) -> Option<String> {
        let all = self.all();
        all.values().find(|watch| watch.is_about(server, changed)).map(|watch| watch.uri.clone())
    }

    /// The URIs of all of them.
    pub(crate) fn uris(&self) -> Vec<String> {
        self.all().keys().cloned().collect()
    }
}

//! A connection that stands, and what its server publishes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cs_model::{Digest, Kind};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::catalog::{self, Fingerprints, Listing};
use super::link::{Link, within};
use super::wire::{self, Ask};
use super::{Ear, Level, Published, Reply, ToolCall, UpstreamError, UpstreamLimits};

/// After how long the tools are asked for again, also when the server says nothing.
const FRESH: Duration = Duration::from_secs(60);

/// How much time lies between two listings, however often the server says that it changed.
const APART: Duration = Duration::from_secs(5);

/// The connection.
pub(super) struct Live {
    link: Link,
    since: Instant,
    limits: UpstreamLimits,
    known: Mutex<Known>,
    stale: watch::Sender<bool>,
    wanted: Notify,
    heard: tokio::sync::Mutex<Option<Level>>,
}

struct Known {
    fingerprints: Fingerprints,
    read: Instant,
}

impl Live {
    /// A connection that was opened just now.
    pub(super) fn new(link: Link, listing: &Listing, limits: UpstreamLimits) -> Self {
        let since = Instant::now();
        let known = Known { fingerprints: listing.fingerprints.clone(), read: since };
        let (stale, _) = watch::channel(false);
        let (known, wanted) = (Mutex::new(known), Notify::new());
        Self { link, since, limits, known, stale, wanted, heard: tokio::sync::Mutex::default() }
    }

    /// The connection itself.
    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// How long it has stood.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// The fingerprints of what is published, for people.
    pub(super) fn fingerprints(&self) -> BTreeMap<(Kind, String), Digest> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.fingerprints.iter().filter_map(|(name, it)| Some((name.clone(), (*it)?))).collect()
    }

    /// Makes one call, if what is called is still what it was when it was pinned.
    pub(super) async fn call(&self, call: &ToolCall<'_>, ear: Ear) -> Result<Reply, UpstreamError> {
        self.check(call).await?;
        if let Some(level) = call.talk.level {
            self.hear(level).await;
        }
        let answer = within(self.limits.call, self.link.ask(Ask::Call(call), Some(ear))).await?;
        wire::reply(answer, call, self.link.era()).map_err(|why| {
            if why != wire::ASKS {
                self.link.reject(why.0);
            }
            UpstreamError::Rejected(why.to_string())
        })
    }

    /// Has a server of the older era note down what is so loud, unless it does already. What it
    /// says to that does not matter.
    async fn hear(&self, level: Level) {
        if !self.link.notes() {
            return;
        }
        let mut heard = self.heard.lock().await;
        if heard.is_none_or(|heard| level < heard) {
            *heard = Some(level);
            let _ = within(self.limits.list, self.link.ask(Ask::SetLevel(level), None)).await;
        }
    }

    // A server that has announced a change is asked for its tools before it is called again.
    async fn check(&self, call: &ToolCall<'_>) -> Result<(), UpstreamError> {
        let mut stale = self.stale.subscribe();
        let patience = self.limits.list.saturating_add(APART);
        let settled = timeout(patience, stale.wait_for(|stale| !stale)).await;
        if !matches!(settled, Ok(Ok(_))) {
            return Err(UpstreamError::NotSent("its tools could not be listed again".to_owned()));
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.read.elapsed() > FRESH {
            self.wanted.notify_one();
        }
        match known.fingerprints.get(&(call.kind, call.tool.to_string())) {
            Some(Some(live)) if *live == call.fingerprint => Ok(()),
            Some(_) | None => Err(UpstreamError::Drift),
        }
    }

    /// Asks for the tools and remembers their fingerprints.
    pub(super) async fn list(&self) -> Result<Vec<Published>, UpstreamError> {
        let listed = within(self.limits.list, catalog::list(&self.link, self.link.has())).await;
        if let Err(UpstreamError::Rejected(why)) = &listed {
            self.link.reject(why);
        }
        let listing = listed?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Known { fingerprints: listing.fingerprints, read: Instant::now() };
        Ok(listing.published)
    }

    /// Keeps what is known of the tools up to date until the connection ends. Calls `read`
    /// after every listing.
    pub(super) async fn follow(&self, read: impl Fn(&Self)) {
        tokio::select! {
            () = self.keep_current(read) => {}
            () = self.link.listen() => {}
        }
    }

    async fn keep_current(&self, read: impl Fn(&Self)) {
        loop {
            tokio::select! {
                () = self.link.ended() => return,
                () = self.link.listing_changed() => drop(self.stale.send_replace(true)),
                () = self.wanted.notified() => {}
            }
            let changed_again = tokio::select! {
                () = self.link.ended() => return,
                listed = self.list() => listed.is_err(),
            };
            if !changed_again {
                self.stale.send_replace(false);
                read(self);
            }
            let pause = tokio::time::sleep(APART);
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = self.link.ended() => return,
                    () = &mut pause => break,
                    () = self.link.listing_changed() => {
                        self.stale.send_replace(true);
                        self.wanted.notify_one();
                    }
                }
            }
            if *self.stale.borrow() {
                self.wanted.notify_one();
            }
        }
    }
}

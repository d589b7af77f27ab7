//! A connection that stands, and what its server publishes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cs_model::{Digest, Kind};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::catalog::{self, Fingerprints, Listing};
use super::link::{Link, within};
use super::watches::{Standing, Watches};
use super::wire::{self, Ask};
use super::{
    Ear, ErrandCall, ErrandReply, Level, Pinned, Published, Reply, Talk, ToolCall, UpstreamError,
    UpstreamLimits,
};

/// After how long the tools are asked for again, also when the server says nothing.
const FRESH: Duration = Duration::from_secs(60);

/// How much time lies between two listings in the long run, however often the server says that it
/// changed, and how many may come sooner.
const APART: Duration = Duration::from_secs(5);
const AT_ONCE: u32 = 8;

/// How much time lies between those.
const BRIEFLY: Duration = Duration::from_millis(100);

/// The connection.
pub(super) struct Live {
    link: Link,
    since: Instant,
    pub(super) limits: UpstreamLimits,
    known: Mutex<Known>,
    stale: watch::Sender<bool>,
    wanted: Notify,
    heard: tokio::sync::Mutex<Option<Level>>,
    /// Which of its resources somebody wants to hear of.
    pub(super) watches: Arc<Watches>,
    /// What the server makes of that.
    pub(super) standing: watch::Sender<Standing>,
}

struct Known {
    fingerprints: Fingerprints,
    read: Instant,
}

impl Live {
    /// A connection that was opened just now.
    pub(super) fn new(
        link: Link,
        listing: &Listing,
        limits: UpstreamLimits,
        watches: Arc<Watches>,
    ) -> Self {
        let since = Instant::now();
        let known = Known { fingerprints: listing.fingerprints.clone(), read: since };
        let (stale, _) = watch::channel(false);
        let (known, wanted) = (Mutex::new(known), Notify::new());
        let (heard, standing) = (tokio::sync::Mutex::default(), watch::Sender::default());
        Self { link, since, limits, known, stale, wanted, heard, watches, standing }
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
        self.check(call.pinned()).await?;
        if let Some(level) = call.talk.level {
            self.hear(level).await;
        }
        let errands = call.talk.errands && self.link.has_errands();
        let call = &ToolCall { talk: Talk { errands, ..call.talk }, ..*call };
        let answer = within(self.limits.call, self.link.ask(Ask::Call(call), Some(ear))).await?;
        wire::reply(answer, call, self.link.era()).map_err(|why| {
            if why != wire::ASKS {
                self.link.reject(why.0);
            }
            UpstreamError::Rejected(why.to_string())
        })
    }

    /// Asks about an errand. A server that has none any more knows nothing of it.
    pub(super) async fn errand(&self, call: ErrandCall<'_>) -> Result<ErrandReply, UpstreamError> {
        if !self.link.has_errands() {
            return Ok(ErrandReply::Refused);
        }
        let answer = within(self.limits.list, self.link.ask(Ask::Errand(call), None)).await?;
        call.reply(answer).map_err(|why| {
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
    pub(super) async fn check(&self, pinned: Pinned<'_>) -> Result<(), UpstreamError> {
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
        match known.fingerprints.get(&(pinned.kind, pinned.name.to_string())) {
            Some(Some(live)) if *live == pinned.fingerprint => Ok(()),
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
            () = self.heed() => {}
        }
    }

    async fn keep_current(&self, read: impl Fn(&Self)) {
        let mut pace = Pace::new(Instant::now());
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
            let pause = tokio::time::sleep(pace.pause(Instant::now()));
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

/// How soon something may be done again that somebody else causes: some times at once, and in the
/// long run no more often than every [`APART`].
struct Pace {
    left: u32,
    since: Instant,
}

impl Pace {
    const fn new(now: Instant) -> Self {
        Self { left: AT_ONCE, since: now }
    }

    /// It was done. Says how long it has to be until the next time.
    fn pause(&mut self, now: Instant) -> Duration {
        while self.left < AT_ONCE && now.saturating_duration_since(self.since) >= APART {
            self.left = self.left.saturating_add(1);
            self.since = self.since.checked_add(APART).unwrap_or(now);
        }
        if self.left >= AT_ONCE {
            self.since = now;
        }
        self.left = self.left.saturating_sub(1);
        if self.left > 0 { BRIEFLY } else { APART }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x17_a_server_that_always_changes_is_listed_some_times_at_once_and_then_seldom() {
        let start = Instant::now();
        let (mut now, mut pace, mut times) = (start, Pace::new(start), 0);
        while now.duration_since(start) < Duration::from_secs(100) {
            now += pace.pause(now);
            times += 1;
        }
        assert!((20..=29).contains(&times), "{times}");
        assert_eq!(pace.pause(now + APART * 20), BRIEFLY, "it was quiet for long");
    }
}

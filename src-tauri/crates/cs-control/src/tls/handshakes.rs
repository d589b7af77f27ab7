//! How far what handshakes are made with has followed what requests are judged by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// How long a change waits at most: it is in force in any case, only new connections may still be
/// made as before.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far handshakes are.
#[derive(Debug, Default)]
pub(crate) struct Handshakes {
    /// How often something else came into force.
    enforced: AtomicU64,
    /// Up to which of these handshakes have followed.
    followed: watch::Sender<u64>,
    /// How many follow.
    following: Arc<AtomicUsize>,
}

/// Somebody who follows, for as long as this is kept.
#[derive(Debug)]
pub(super) struct Following(Arc<AtomicUsize>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Handshakes {
    /// Something else comes into force.
    pub(crate) fn are_behind(&self) {
        self.enforced.fetch_add(1, Ordering::AcqRel);
    }

    /// Somebody begins to follow.
    pub(super) fn follow(&self) -> Following {
        self.following.fetch_add(1, Ordering::AcqRel);
        Following(Arc::clone(&self.following))
    }

    /// What somebody who looks now will have followed.
    pub(super) fn now(&self) -> u64 {
        self.enforced.load(Ordering::Acquire)
    }

    /// Handshakes go by this.
    pub(super) fn are_at(&self, number: u64) {
        self.followed.send_modify(|followed| *followed = number.max(*followed));
    }

    /// Waits until handshakes go by what is in force now, if anybody makes them: who is told that
    /// a certificate was issued may come with it at once.
    pub(crate) async fn catch_up(&self) {
        if self.following.load(Ordering::Acquire) == 0 {
            return;
        }
        let (now, mut followed) = (self.now(), self.followed.subscribe());
        let caught_up = followed.wait_for(|followed| *followed >= now);
        if tokio::time::timeout(PATIENCE, caught_up).await.is_err() {
            tracing::warn!("new connections are still made by what was in force before");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_waits_for_handshakes_where_there_are_any_and_not_for_ever() {
        let handshakes = Arc::new(Handshakes::default());
        handshakes.are_behind();
        // Nobody makes any.
        handshakes.catch_up().await;
        let following = handshakes.follow();
        let waits = tokio::spawn({
            let handshakes = Arc::clone(&handshakes);
            async move { handshakes.catch_up().await }
        });
        tokio::task::yield_now().await;
        handshakes.are_at(0);
        tokio::task::yield_now().await;
        assert!(!waits.is_finished(), "they are not there yet");
        handshakes.are_at(handshakes.now());
        waits.await.unwrap();
        // One that does not come any further keeps a change for a while only.
        handshakes.are_behind();
        handshakes.catch_up().await;
        assert!(*handshakes.followed.borrow() < handshakes.now());
        drop(following);
        handshakes.are_behind();
        handshakes.catch_up().await;
    }
}

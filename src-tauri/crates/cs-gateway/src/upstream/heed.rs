//! Having a server tell of changes: in the older era each resource is asked for by itself, and
//! lists are told of unasked; in the newer one all of it is asked for in one request, which lasts.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::UpstreamError;
use super::link::within;
use super::live::Live;
use super::watches::Standing;
use super::wire::{Answer, Ask};
use crate::wire::Era;

/// How much time lies between two attempts to listen, at first and at most.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(80);

/// A request to listen that is under way: it is answered when the server stops telling.
type Listening<'l> = Pin<Box<dyn Future<Output = Result<Answer, UpstreamError>> + Send + 'l>>;

impl Live {
    /// Has the server tell of changes, until the connection ends.
    pub(super) async fn heed(&self) {
        match self.link().era() {
            Era::Legacy => self.subscribe().await,
            Era::Modern => self.listen().await,
        }
        self.link().ended().await;
    }

    /// Waits until the server was asked to tell of a resource. Says whether it does.
    pub(super) async fn is_told(&self, uri: &str, version: u64) -> Result<bool, UpstreamError> {
        let mut standing = self.standing.subscribe();
        let settled = timeout(self.limits.list, standing.wait_for(|it| it.version >= version));
        tokio::select! {
            biased;
            () = self.link().ended() => {
                Err(UpstreamError::NotSent("the connection ended".to_owned()))
            }
            settled = settled => match settled {
                Ok(Ok(standing)) => Ok(standing.told.contains(uri)),
                Ok(Err(_)) | Err(_) => Err(UpstreamError::TimedOut),
            },
        }
    }

    fn stands(&self, version: u64, told: &BTreeSet<String>) {
        self.standing.send_replace(Standing { version, told: told.clone() });
    }

    /// Asks for each resource that is watched, and takes back what is not watched any more.
    async fn subscribe(&self) {
        let mut changes = self.watches.changes();
        let mut told = BTreeSet::new();
        while self.link().ending().is_none() {
            changes.mark_unchanged();
            let (version, wanted) = self.watches.wanted();
            for uri in told.difference(&wanted).cloned().collect::<Vec<_>>() {
                told.remove(&uri);
                // A server that goes on telling is not listened to.
                let taken_back = self.link().ask(Ask::Unsubscribe(&uri), None);
                let _ = within(self.limits.list, taken_back).await;
            }
            for uri in wanted.difference(&told).cloned().collect::<Vec<_>>() {
                let asked = self.link().ask(Ask::Subscribe(&uri), None);
                if let Ok(Answer::Result(_)) = within(self.limits.list, asked).await {
                    told.insert(uri);
                }
            }
            self.stands(version, &told);
            tokio::select! {
                () = self.link().ended() => return,
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Listens, and again where that ends by itself.
    async fn listen(&self) {
        let mut pause = PAUSE;
        let mut changes = self.watches.changes();
        while self.link().tells_when_asked() && self.link().ending().is_none() {
            if let Ok(Answer::Error(_)) = self.listen_on(&mut changes).await {
                return;
            }
            self.standing.send_modify(|it| it.told.clear());
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            // What changed meanwhile nobody told.
            self.link().change_listing();
        }
    }

    /// Listens until the server ends that. What is watched may change meanwhile: the old request
    /// goes on until the new one is acknowledged.
    async fn listen_on(&self, changes: &mut watch::Receiver<u64>) -> Result<Answer, UpstreamError> {
        let mut before: Option<Listening<'_>> = None;
        loop {
            changes.mark_unchanged();
            let (version, wanted) = self.watches.wanted();
            let mut acknowledged = self.link().acknowledged();
            let mut next = self.ask_to_listen(wanted);
            let mut heard = false;
            loop {
                tokio::select! {
                    ended = &mut next => return ended,
                    () = over(&mut before) => before = None,
                    said = acknowledged.changed(), if !heard => {
                        heard = true;
                        before = None;
                        if said.is_ok() {
                            self.stands(version, &acknowledged.borrow_and_update().1);
                        }
                    }
                    changed = changes.changed(), if heard => {
                        if changed.is_ok() {
                            break;
                        }
                        return next.await;
                    }
                }
            }
            before = Some(next);
        }
    }

    fn ask_to_listen(&self, uris: BTreeSet<String>) -> Listening<'_> {
        Box::pin(async move { self.link().ask(Ask::Listen(&uris), None).await })
    }
}

async fn over(listening: &mut Option<Listening<'_>>) {
    match listening {
        Some(listening) => drop(listening.await),
        None => std::future::pending().await,
    }
}

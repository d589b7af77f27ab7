//! Tells screens that something changed, without drowning them in it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};

use crate::change::{Change, Topic};

/// How many changes a slow listener may lag behind before it misses some.
const BACKLOG: usize = 256;

/// How often one topic is told at most.
const PACE: Duration = Duration::from_millis(100);

/// Tells screens that something changed. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub(crate) struct Bell(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    heard: broadcast::Sender<Change>,
    due: Mutex<BTreeSet<Topic>>,
    rung: Notify,
}

impl Bell {
    /// A bell that rings until it is dropped everywhere.
    pub(crate) fn new() -> Self {
        let (heard, _) = broadcast::channel(BACKLOG);
        let inner = Arc::new(Inner { heard, due: Mutex::default(), rung: Notify::new() });
        let weak = Arc::downgrade(&inner);
        tokio::spawn(async move {
            while let Some(inner) = weak.upgrade() {
                let ringing = async {
                    inner.rung.notified().await;
                    inner.tell();
                };
                // Wakes now and then to see whether anybody still has the bell.
                let _ = tokio::time::timeout(Duration::from_secs(5), ringing).await;
                drop(inner);
                tokio::time::sleep(PACE).await;
            }
        });
        Self(inner)
    }

    /// What changes from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Change> {
        self.0.heard.subscribe()
    }

    /// Something changed.
    pub(crate) fn ring(&self, topic: Topic) {
        self.0.due.lock().unwrap_or_else(PoisonError::into_inner).insert(topic);
        self.0.rung.notify_one();
    }
}

impl Inner {
    fn tell(&self) {
        let due = std::mem::take(&mut *self.due.lock().unwrap_or_else(PoisonError::into_inner));
        for topic in due {
            // Nobody listening is no failure.
            let _ = self.heard.send(Change { topic });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_of_changes_of_one_topic_is_told_once_and_no_topic_is_lost() {
        let bell = Bell::new();
        let mut heard = bell.listen();
        for _ in 0..1000 {
            bell.ring(Topic::Audit);
        }
        bell.ring(Topic::Policy);
        let mut topics = BTreeSet::new();
        while topics.len() < 2 {
            topics.insert(heard.recv().await.unwrap().topic);
        }
        assert_eq!(topics.into_iter().collect::<Vec<_>>(), [Topic::Audit, Topic::Policy]);
        assert!(heard.is_empty());
    }
}

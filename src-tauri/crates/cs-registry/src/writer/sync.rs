//! Has the journal on the disk, once for all that wait for it.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::health::{Health, Trouble};

/// Who waits for what was written to be on the disk. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Syncs(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    /// Nobody knows what is on the disk: the next attempt may be called a success although what
    /// was written before is lost. Set with the state locked.
    in_doubt: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    /// Whether a thread works for those who wait.
    at_work: bool,
}

#[derive(Debug)]
struct Waiting {
    file: Arc<File>,
    answer: oneshot::Sender<bool>,
}

impl Syncs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has all that was written to the journal so far on the disk. Answers whether it is.
    pub(super) fn sync(&self, file: Arc<File>, health: &Health) -> oneshot::Receiver<bool> {
        let (answer, answered) = oneshot::channel();
        let mut state = self.state();
        if self.is_doubtful() {
            let _ = answer.send(false);
            return answered;
        }
        state.waiting.push(Waiting { file, answer });
        if !state.at_work {
            state.at_work = true;
            drop(state);
            let (syncs, health) = (self.clone(), health.clone());
            tokio::task::spawn_blocking(move || syncs.work(&health));
        }
        answered
    }

    /// Syncs for those who wait, until nobody does. Whoever comes meanwhile is of the next round:
    /// what it wrote may have come too late for this one.
    fn work(&self, health: &Health) {
        loop {
            let round = {
                let mut state = self.state();
                if state.waiting.is_empty() {
                    state.at_work = false;
                    return;
                }
                std::mem::take(&mut state.waiting)
            };
            let synced = sync_all(&round);
            let mut failed = Vec::new();
            match &synced {
                Ok(()) => health.works(),
                Err(error) => {
                    tracing::error!(%error, "the audit journal is in doubt");
                    health.failed(Some(Trouble::of_file(error)));
                    let mut state = self.state();
                    self.0.in_doubt.store(true, Ordering::Release);
                    failed = std::mem::take(&mut state.waiting);
                }
            }
            // Whoever waited may have gone.
            for waiting in round {
                let _ = waiting.answer.send(synced.is_ok());
            }
            for waiting in failed {
                let _ = waiting.answer.send(false);
            }
        }
    }

    /// From here on nothing is on the disk for certain.
    pub(super) fn doubt(&self) {
        let _state = self.state();
        self.0.in_doubt.store(true, Ordering::Release);
    }

    /// Whether it is so.
    pub(super) fn is_doubtful(&self) -> bool {
        self.0.in_doubt.load(Ordering::Acquire)
    }

    /// All that was in doubt is written anew elsewhere, and that is on the disk.
    pub(super) fn is_renewed(&self) {
        let _state = self.state();
        self.0.in_doubt.store(false, Ordering::Release);
    }
}

/// Syncs each file once: nearly always they are one.
fn sync_all(round: &[Waiting]) -> io::Result<()> {
    let mut synced: Option<&Arc<File>> = None;
    for Waiting { file, .. } in round {
        if !synced.is_some_and(|it| Arc::ptr_eq(it, file)) {
            file.sync_data()?;
            synced = Some(file);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[tokio::test]
    async fn a02_after_a_sync_that_failed_nothing_is_on_the_disk_until_all_is_written_anew() {
        let (syncs, health) = (Syncs::default(), Health::default());
        let sound = Arc::new(tempfile::tempfile().unwrap());
        assert!(syncs.sync(Arc::clone(&sound), &health).await.unwrap());
        // A device cannot be synced.
        let broken = Arc::new(File::open("/dev/null").unwrap());
        assert!(!syncs.sync(broken, &health).await.unwrap());
        assert!(syncs.is_doubtful());
        assert_eq!(health.now(), Some(Trouble::Failing));
        assert!(!syncs.sync(Arc::clone(&sound), &health).await.unwrap(), "it may be lost already");
        syncs.is_renewed();
        assert!(syncs.sync(sound, &health).await.unwrap());
        assert_eq!(health.now(), None);
    }
}

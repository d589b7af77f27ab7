//! Works off what waits to be written, and moves what is in the journal alone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};

use super::Writer;
use super::queue::{Job, Queue};
use super::tail::Tail;

/// How many writes share a commit at most.
const BATCH: usize = 512;

/// How many writes may wait.
const WAITING: usize = 4096;

/// How long events stay in the journal alone when nothing else is written, and how long until it
/// is tried again when they could not be moved.
const SOON: Duration = Duration::from_millis(100);
const AGAIN: Duration = Duration::from_secs(1);

/// Starts to work the queue off, for as long as anybody can add to it.
pub(crate) fn start(writer: Arc<Mutex<Writer>>, tail: Tail) -> Queue {
    let (queue, mut jobs) = mpsc::channel::<Box<dyn Job>>(WAITING);
    tokio::spawn(async move {
        let mut due = Vec::with_capacity(BATCH);
        let mut pause = SOON;
        loop {
            let got = tokio::select! {
                biased;
                count = jobs.recv_many(&mut due, BATCH) => Some(count),
                () = is_due(&tail, pause) => None,
            };
            let work = match got {
                Some(0) => return,
                Some(_) => {
                    let batch = due.drain(..).collect();
                    // In a task of its own, so that a panic takes this batch with it and not the
                    // queue. The transaction is left open then, and the next one to begin abandons
                    // it.
                    tokio::spawn(write_all(Arc::clone(&writer), batch))
                }
                None => tokio::spawn(move_all(Arc::clone(&writer))),
            };
            match work.await {
                Ok(is_behind) => pause = if is_behind { AGAIN } else { SOON },
                Err(error) => {
                    tracing::error!(%error, "a write to the registry did not come to its end");
                }
            }
        }
    });
    queue
}

/// Waits until events are to be moved: so long after the first, or when there are many.
async fn is_due(tail: &Tail, pause: Duration) {
    tail.due().await;
    let _ = tokio::time::timeout(pause, tail.many()).await;
}

/// Writes a batch. Says whether the database is late with what is on record.
async fn write_all(writer: Arc<Mutex<Writer>>, mut batch: VecDeque<Box<dyn Job>>) -> bool {
    let mut writer = writer.lock().await;
    writer.recall();
    while !batch.is_empty() {
        if batch.iter().all(|job| job.is_events()) {
            writer.record(&mut batch).await;
        } else {
            writer.write(&mut batch).await;
        }
    }
    writer.lend();
    writer.is_behind()
}

/// Moves what is in the journal alone. Says whether the database is still late.
async fn move_all(writer: Arc<Mutex<Writer>>) -> bool {
    let mut writer = writer.lock().await;
    if let Err(error) = writer.move_aside().await {
        let error = &error as &dyn std::error::Error;
        tracing::debug!(error, "events stay in the journal for now");
    }
    writer.is_behind()
}

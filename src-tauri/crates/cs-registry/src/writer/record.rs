//! Events that are nothing but events: on record in the journal at once, and moved into the
//! database a little later.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cs_audit::{Entry, Head};
use cs_model::event::Event;

use super::queue::{Job, job};
use super::{State, Writer, journal};
use crate::error::Doing as _;
use crate::health::Trouble;
use crate::{RegistryError, audit};

/// How many events may be in the journal and not in the database. Moving them keeps others
/// waiting: it should be short.
const MOST: usize = 512;

/// Whether events are in the journal alone: what reads has them moved first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backlog(Arc<AtomicBool>);

impl Backlog {
    pub(crate) fn is_there(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, is_there: bool) {
        self.0.store(is_there, Ordering::Release);
    }
}

impl Writer {
    /// Takes over what an earlier process has left in the journal.
    pub(super) async fn replay(&mut self) -> Result<(), RegistryError> {
        let left = self.journal.following(self.head);
        let left = left.map_err(|source| RegistryError::file("read the audit journal", source))?;
        let left = left.map_err(|journal::Apart| RegistryError::Damaged {
            what: "an audit log that its journal does not go on from",
        })?;
        for entry in left {
            let event = entry.event().map_err(|_| RegistryError::Damaged { what: "an event" })?;
            self.head = Some(entry.head());
            self.pending.push((entry, event));
        }
        if !self.pending.is_empty() {
            tracing::info!(events = self.pending.len(), "taking over what the journal holds");
            self.move_pending().await?;
        }
        self.end_journal()
    }

    /// Where the log ends, when it ends there in the database.
    pub(super) fn end(&self, stored: Option<Head>) -> Option<Head> {
        self.pending.last().map(|(entry, _)| entry.head()).or(stored)
    }

    /// Puts a batch of events on record and answers.
    pub(super) async fn record(&mut self, batch: &mut VecDeque<Box<dyn Job>>) {
        let lasting = !self.spares_disk || batch.iter().any(|job| job.is_lasting());
        let ready = self.make_room().await;
        if let Err(error) = ready {
            tracing::debug!(error = &error as &dyn std::error::Error, "the registry cannot write");
            batch.drain(..).for_each(|job| job.answer(false));
            return;
        }
        // Left like this by a panic, the next to write looks where the chain ends.
        self.state = State::Open;
        let before = self.head;
        let mut done = Vec::with_capacity(batch.len());
        let run = self.seal_run(batch, &mut done);
        let written = run.is_empty() || self.journalise(&run, lasting).await;
        if written {
            self.pending.extend(run);
            self.tell();
        } else {
            self.head = before;
        }
        if self.state == State::Open {
            self.state = State::Ready;
        }
        done.into_iter().for_each(|job| job.answer(written));
    }

    /// Puts some events on record for somebody who has the writer to itself.
    pub(crate) async fn record_alone(&mut self, events: Vec<Event>) -> Result<(), RegistryError> {
        let (job, mut answer) = job(audit::Record { events });
        self.record(&mut VecDeque::from([job])).await;
        answer.try_recv().map_err(|_| RegistryError::Unwritten)?
    }

    /// Makes sure that there is somewhere to write to, and not too much that is still to be moved.
    async fn make_room(&mut self) -> Result<(), RegistryError> {
        if self.state != State::Ready || self.health.is_damaged() {
            self.prepare(true).await?;
        }
        if self.pending.len() >= MOST || self.is_behind { self.flush().await } else { Ok(()) }
    }

    /// Writes sealed events to the journal. Says whether they are on record.
    async fn journalise(&mut self, run: &[(Entry, Event)], lasting: bool) -> bool {
        match self.journal.write(run.iter().map(|(entry, _)| entry), lasting).await {
            Ok(()) => {
                self.health.works();
                true
            }
            Err(error) => {
                self.health.failed(Some(Trouble::of_file(&error)));
                if is_doubtful(&error) {
                    tracing::error!(%error, "the audit journal is in doubt");
                    self.state = State::Doubtful;
                }
                false
            }
        }
    }

    /// Moves what is in the journal alone into the database.
    pub(crate) async fn flush(&mut self) -> Result<(), RegistryError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let lasting = self.journal.is_long();
        let moved = match self.prepare(lasting).await {
            Ok(()) => self.move_pending().await,
            Err(error) => Err(error),
        };
        self.is_behind = moved.is_err();
        moved
    }

    /// The same, on a connection that can be trusted and is told how lasting the commit has to be.
    pub(super) async fn move_pending(&mut self) -> Result<(), RegistryError> {
        if !self.write_pending(false).await {
            self.abandon().await?;
            return Err(RegistryError::Unwritten);
        }
        self.commit().await
    }

    /// Adds what is in the journal alone to the transaction, or begins one with it. Says whether
    /// that stands.
    pub(super) async fn write_pending(&mut self, begun: bool) -> bool {
        self.state = State::Open;
        let written = audit::insert_all(&mut self.db, &self.pending, begun).await;
        if let Err(error) = &written {
            self.health.failed(error.trouble());
        }
        written.is_ok()
    }

    /// What was in the journal alone is in the database.
    pub(super) fn moved(&mut self) {
        self.pending.clear();
        self.is_behind = false;
        self.tell();
        if self.syncs {
            self.journal.begin_anew();
        }
    }

    /// After a doubt: what the database has of it by now, up to `stored`, is not in the journal
    /// alone.
    pub(super) fn settle_pending(&mut self, stored: Option<Head>) -> Result<(), RegistryError> {
        let seq = stored.map_or(0, |head| head.seq);
        self.pending.retain(|(entry, _)| entry.seq > seq);
        let goes_on = self.pending.first().is_none_or(|(entry, _)| {
            entry.seq.checked_sub(1) == Some(seq)
                && stored.is_none_or(|head| head.hash == entry.previous)
        });
        if goes_on { Ok(()) } else { Err(RegistryError::Damaged { what: "an audit log" }) }
    }

    /// Starts the journal anew once everything is in the database, and that on the disk.
    pub(super) async fn renew_journal(&mut self) -> Result<(), RegistryError> {
        if !self.pending.is_empty() {
            self.move_pending().await?;
        }
        self.end_journal()
    }

    fn end_journal(&mut self) -> Result<(), RegistryError> {
        self.journal.remove().map_err(|source| RegistryError::file("end the audit journal", source))
    }

    /// Moves all that is on record to where the database keeps it in the end.
    pub(super) async fn put_away(&mut self) -> Result<(), RegistryError> {
        self.flush().await?;
        self.prepare(true).await?;
        self.checkpoint().await?;
        self.end_journal()
    }

    /// Writes all that the database holds to its one file.
    pub(super) async fn checkpoint(&mut self) -> Result<(), RegistryError> {
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut self.db)
            .await
            .doing("write the registry out again")?;
        if busy == 0 { Ok(()) } else { Err(RegistryError::Unwritten) }
    }

    /// Lets readers know whether anything is in the journal alone.
    fn tell(&self) {
        self.backlog.set(!self.pending.is_empty());
    }

    /// Whether events were written without a transaction around them, and the database is late.
    pub(crate) const fn is_behind(&self) -> bool {
        self.is_behind
    }
}

/// Whether nobody knows what is on the disk: a full disk says so before it takes anything.
pub(super) fn is_doubtful(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::StorageFull
    )
}

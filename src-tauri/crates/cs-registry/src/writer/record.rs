//! Events that are nothing but events: on record in the journal at once, and moved into the
//! database a little later.

use std::collections::VecDeque;
use std::io;

use cs_audit::{Entry, Head};
use cs_model::event::Event;

use super::queue::Job;
use super::tail::{End, MOST};
use super::{State, Writer, journal};
use crate::error::Doing as _;
use crate::health::Trouble;
use crate::{RegistryError, audit};

impl Writer {
    /// Lets others put events on record at the end of the log, where nothing is wrong with it.
    pub(crate) fn lend(&mut self) {
        let is_sound = self.state == State::Ready && !self.is_behind && !self.tail.is_doubtful();
        if is_sound && !self.is_lent {
            self.is_lent = true;
            let end = std::mem::replace(&mut self.end, End::nowhere());
            self.tail.lend(end, !self.moving.is_empty());
        }
    }

    /// Has the end of the log to itself: whoever has events meanwhile queues up.
    pub(crate) fn recall(&mut self) {
        if let Some(end) = self.tail.recall() {
            self.end = end;
            self.is_lent = false;
        }
        if !self.moving.is_empty() {
            // Whoever moved them went away.
            let moving = std::mem::take(&mut self.moving);
            let later = std::mem::replace(&mut self.end.pending, moving);
            self.end.pending.extend(later);
        }
        if self.tail.is_doubtful() && matches!(self.state, State::Open | State::Ready) {
            self.state = State::Doubtful;
        }
    }

    /// Takes over what an earlier process has left in the journal.
    pub(super) async fn replay(&mut self) -> Result<(), RegistryError> {
        let left = self.end.journal.following(self.end.head);
        let left = left.map_err(|source| RegistryError::file("read the audit journal", source))?;
        let left = left.map_err(|journal::Apart| RegistryError::Damaged {
            what: "an audit log that its journal does not go on from",
        })?;
        for entry in left {
            let event = entry.event().map_err(|_| RegistryError::Damaged { what: "an event" })?;
            self.end.head = Some(entry.head());
            self.end.pending.push((entry, event));
        }
        if !self.end.pending.is_empty() {
            tracing::info!(events = self.end.pending.len(), "taking over what the journal holds");
            self.move_pending().await?;
        }
        self.end_journal()
    }

    /// Where the log ends, when it ends there in the database.
    pub(super) fn end_after(&self, stored: Option<Head>) -> Option<Head> {
        self.end.pending.last().map(|(entry, _)| entry.head()).or(stored)
    }

    /// Puts a batch of events on record and answers.
    pub(super) async fn record(&mut self, batch: &mut VecDeque<Box<dyn Job>>) {
        let lasting = !self.tail.spares_disk() || batch.iter().any(|job| job.is_lasting());
        let ready = self.make_room().await;
        if let Err(error) = ready {
            tracing::debug!(error = &error as &dyn std::error::Error, "the registry cannot write");
            batch.drain(..).for_each(|job| job.answer(false));
            return;
        }
        // Left like this by a panic, the next to write looks where the chain ends.
        self.state = State::Open;
        let before = self.end.head;
        let mut done = Vec::with_capacity(batch.len());
        let run = self.seal_run(batch, &mut done);
        let written = run.is_empty() || self.journalise(&run, lasting).await;
        if written {
            self.end.pending.extend(run);
            self.tell();
        } else {
            self.end.head = before;
        }
        if self.state == State::Open {
            self.state = State::Ready;
        }
        done.into_iter().for_each(|job| job.answer(written));
    }

    /// Makes sure that there is somewhere to write to, and not too much that is still to be moved.
    async fn make_room(&mut self) -> Result<(), RegistryError> {
        if self.state != State::Ready || self.health.is_damaged() {
            self.prepare(true).await?;
        }
        if self.end.pending.len() >= MOST || self.is_behind { self.flush().await } else { Ok(()) }
    }

    /// Writes sealed events to the journal. Says whether they are on record.
    async fn journalise(&mut self, run: &[(Entry, Event)], lasting: bool) -> bool {
        match self.end.journal.write(run.iter().map(|(entry, _)| entry), lasting).await {
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

    /// Moves what is in the journal alone into the database, while others go on to put events on
    /// record.
    pub(crate) async fn move_aside(&mut self) -> Result<(), RegistryError> {
        self.recall();
        let is_usual = self.state == State::Ready && !self.is_behind;
        if !is_usual || self.end.pending.is_empty() || self.end.journal.is_long() {
            let moved = self.flush().await;
            self.lend();
            return moved;
        }
        let moved = match self.prepare(false).await {
            Ok(()) => {
                // The room of those that were moved last is for those that come now.
                std::mem::swap(&mut self.moving, &mut self.end.pending);
                self.lend();
                self.write_moving().await
            }
            Err(error) => Err(error),
        };
        if moved.is_err() {
            self.recall();
            self.is_behind = true;
            if self.state == State::Open {
                self.abandon().await?;
            }
        }
        moved
    }

    async fn write_moving(&mut self) -> Result<(), RegistryError> {
        self.state = State::Open;
        if let Err(error) = audit::insert_all(&mut self.db, &self.moving, false).await {
            self.health.failed(error.trouble());
            return Err(RegistryError::Unwritten);
        }
        self.commit_to(self.moving.last().map(|(entry, _)| entry.head())).await?;
        self.moving.clear();
        self.tail.moved();
        Ok(())
    }

    /// Moves what is in the journal alone into the database, with the end of the log to itself.
    pub(crate) async fn flush(&mut self) -> Result<(), RegistryError> {
        self.recall();
        if self.end.pending.is_empty() {
            return Ok(());
        }
        let lasting = self.end.journal.is_long();
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
        let written = audit::insert_all(&mut self.db, &self.end.pending, begun).await;
        if let Err(error) = &written {
            self.health.failed(error.trouble());
        }
        written.is_ok()
    }

    /// What was in the journal alone is in the database.
    pub(super) fn moved(&mut self) {
        self.end.pending.clear();
        self.is_behind = false;
        self.tell();
        if self.syncs {
            self.end.journal.begin_anew();
        }
    }

    /// After a doubt: what the database has of it by now, up to `stored`, is not in the journal
    /// alone.
    pub(super) fn settle_pending(&mut self, stored: Option<Head>) -> Result<(), RegistryError> {
        let seq = stored.map_or(0, |head| head.seq);
        self.end.pending.retain(|(entry, _)| entry.seq > seq);
        let goes_on = self.end.pending.first().is_none_or(|(entry, _)| {
            entry.seq.checked_sub(1) == Some(seq)
                && stored.is_none_or(|head| head.hash == entry.previous)
        });
        if goes_on { Ok(()) } else { Err(RegistryError::Damaged { what: "an audit log" }) }
    }

    /// Starts the journal anew once everything is in the database, and that on the disk.
    pub(super) async fn renew_journal(&mut self) -> Result<(), RegistryError> {
        if !self.end.pending.is_empty() {
            self.move_pending().await?;
        }
        self.end_journal()
    }

    fn end_journal(&mut self) -> Result<(), RegistryError> {
        self.end
            .journal
            .remove()
            .map_err(|source| RegistryError::file("end the audit journal", source))
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
        self.tail.tell(!self.end.pending.is_empty());
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

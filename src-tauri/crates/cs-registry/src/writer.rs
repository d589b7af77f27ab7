//! The one connection that writes.
//!
//! Small writes of live traffic queue up and share a commit, because making something durable
//! costs far more than writing it. Each has a savepoint of its own: one that fails takes nothing
//! with it. Nobody is answered before the commit is on disk.
//!
//! What is events alone does not wait for the database at all: it is on record once the journal
//! has it ([`journal`]), and is moved into the database a little later. Whoever reads sees it there:
//! it is moved before anybody looks. Most of it does not even come by here: the end of the log is
//! lent to whoever has events ([`tail`]).
//!
//! When a commit fails, nobody knows what is on disk: the operating system may have dropped the
//! pages and call the next attempt a success. So the connection is given up; a new one writes
//! everything out again, checks the audit chain from the last entry that is known to be durable,
//! and only then are writes accepted again.

pub(crate) mod journal;
mod queue;
mod record;
mod sync;
mod tail;
mod work;

use std::collections::VecDeque;
use std::path::Path;

use cs_audit::{Entry, Head, Verifier};
use cs_model::event::Event;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use self::journal::Journal;
use self::queue::Job;
pub use self::queue::Work;
pub(crate) use self::queue::{Queue, submit};
use self::tail::End;
pub(crate) use self::tail::{Put, Tail};
pub(crate) use self::work::start;

use crate::error::Doing as _;
use crate::health::{Health, Trouble};
use crate::open::Lock;
use crate::{RegistryError, audit};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// For good.
    Closed,
    /// Nobody knows what became of the last commit.
    Doubtful,
    /// In a transaction, or left in one by somebody who went away.
    Open,
    /// Between transactions.
    Ready,
}

/// The one connection that writes, and the end of the audit chain.
#[derive(Debug)]
pub(crate) struct Writer {
    options: SqliteConnectOptions,
    db: SqliteConnection,
    /// Whether the connection is told to have each commit on the disk.
    syncs: bool,
    /// Where the chain ended in the database when a commit last succeeded.
    durable: Option<Head>,
    tail: Tail,
    /// The end of the log, while it is not lent.
    end: End,
    is_lent: bool,
    /// What is being moved while it is lent: it comes before what is pending there.
    moving: Vec<(Entry, Event)>,
    /// Whether moving them was tried and failed: nothing more is put on record before it works.
    is_behind: bool,
    state: State,
    health: Health,
    /// Given back when the writer is closed.
    lock: Option<Lock>,
}

/// What became of one write of a batch.
enum Fate {
    /// It is part of the transaction.
    Kept,
    /// It failed alone.
    Undone,
    /// It took the whole transaction with it.
    Collapsed,
}

impl Writer {
    pub(crate) async fn new(
        path: &Path,
        options: SqliteConnectOptions,
        mut db: SqliteConnection,
        lock: Lock,
        health: Health,
    ) -> Result<Self, RegistryError> {
        let head = audit::head(&mut db).await?;
        let mut writer = Self {
            options,
            db,
            syncs: true,
            durable: head,
            tail: Tail::new(health.clone()),
            end: End { head, journal: Journal::of(path), pending: Vec::new() },
            is_lent: false,
            moving: Vec::new(),
            is_behind: false,
            state: State::Ready,
            health,
            lock: Some(lock),
        };
        writer.replay().await?;
        writer.lend();
        Ok(writer)
    }

    pub(crate) fn tail(&self) -> Tail {
        self.tail.clone()
    }

    /// Whether commits of what is not lasting have to survive their process only.
    pub(crate) fn spare_disk(&self, spares: bool) {
        self.tail.spare_disk(spares);
    }

    pub(crate) const fn db(&self) -> &SqliteConnection {
        &self.db
    }

    pub(crate) const fn db_mut(&mut self) -> &mut SqliteConnection {
        &mut self.db
    }

    /// Begins a transaction, on a connection that can be trusted. Its commit survives the machine's
    /// end.
    pub(crate) async fn begin(&mut self) -> Result<(), RegistryError> {
        // Whoever reads meanwhile cannot have them moved.
        self.flush().await?;
        self.prepare(true).await?;
        let begun = self.begin_prepared().await;
        if let Err(error) = &begun {
            self.health.failed(error.trouble());
        }
        begun
    }

    /// Makes sure that the connection can be trusted, and that a commit will be as lasting as it
    /// has to be.
    async fn prepare(&mut self, lasting: bool) -> Result<(), RegistryError> {
        let prepared = self.make_ready(lasting).await;
        if let Err(error) = &prepared {
            self.health.failed(error.trouble());
        }
        prepared
    }

    async fn make_ready(&mut self, lasting: bool) -> Result<(), RegistryError> {
        self.recall();
        if self.health.is_damaged() && self.state != State::Closed {
            return Err(RegistryError::Damaged { what: "pages" });
        }
        match self.state {
            State::Closed => return Err(RegistryError::Closed),
            State::Doubtful => self.reopen().await?,
            State::Open => self.abandon().await?,
            State::Ready => {}
        }
        if self.syncs == lasting {
            return Ok(());
        }
        // INVARIANT: FULL is what makes a commit survive a power cut; NORMAL leaves that to the
        // next one that does, and both leave every commit whole.
        let pragma =
            if lasting { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
        sqlx::query(pragma).execute(&mut self.db).await.doing("begin to write")?;
        self.syncs = lasting;
        Ok(())
    }

    async fn begin_prepared(&mut self) -> Result<(), RegistryError> {
        self.state = State::Open;
        let begun = sqlx::query("BEGIN IMMEDIATE").execute(&mut self.db).await;
        if begun.is_err() {
            self.state = State::Doubtful;
        }
        begun.map(drop).doing("begin to write")
    }

    /// Appends events to the chain, in the transaction.
    pub(crate) async fn append(&mut self, events: &[Event]) -> Result<(), RegistryError> {
        let appended = audit::append(&mut self.db, &mut self.end.head, events).await;
        if let Err(error) = &appended {
            self.health.failed(error.trouble());
        }
        appended
    }

    /// Makes the transaction durable. When that fails, it counts as not written.
    pub(crate) async fn commit(&mut self) -> Result<(), RegistryError> {
        self.commit_to(self.end.head).await?;
        self.moved();
        Ok(())
    }

    /// The same, where the log in the database ends there.
    async fn commit_to(&mut self, head: Option<Head>) -> Result<(), RegistryError> {
        match sqlx::query("COMMIT").execute(&mut self.db).await {
            Ok(_) => {
                // A commit of nothing says nothing of the disk.
                if self.durable != head {
                    self.health.works();
                }
                self.durable = head;
                self.state = State::Ready;
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "the registry could not commit; it is being reopened");
                self.health.failed(Trouble::of(&error).or(Some(Trouble::Failing)));
                self.state = State::Doubtful;
                Err(RegistryError::Unwritten)
            }
        }
    }

    /// Leaves the transaction, whether or not there still is one, and looks where the chain ends.
    async fn abandon(&mut self) -> Result<(), RegistryError> {
        // Fails when the database has rolled back by itself, which is as good.
        let _ = sqlx::query("ROLLBACK").execute(&mut self.db).await;
        match audit::head(&mut self.db).await {
            Ok(stored) => {
                self.state = State::Doubtful;
                // Whoever went away may have committed before.
                self.settle_pending(stored)?;
                (self.end.head, self.durable) = (self.end_after(stored), stored);
                self.state = State::Ready;
                Ok(())
            }
            Err(error) => {
                self.state = State::Doubtful;
                Err(error)
            }
        }
    }

    /// Writes a batch, or as much of it as one transaction can hold.
    async fn write(&mut self, batch: &mut VecDeque<Box<dyn Job>>) {
        let lasting = !self.tail.spares_disk() || batch.iter().any(|job| job.is_lasting());
        if let Err(error) = self.prepare(lasting || self.end.journal.is_long()).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "the registry cannot write");
            batch.drain(..).for_each(|job| job.answer(false));
            return;
        }
        let mut done = Vec::with_capacity(batch.len());
        let (mut begun, mut whole) = (false, true);
        if !self.end.pending.is_empty() {
            whole = self.write_pending(begun).await;
            begun = true;
            if !whole {
                // They come first, and until they are in the database nothing else gets there.
                self.is_behind = true;
                batch.drain(..).for_each(|job| job.answer(false));
            }
        }
        while whole && !batch.is_empty() {
            let run = self.seal_run(batch, &mut done);
            if !run.is_empty() {
                whole = self.write_run(&run, begun).await;
                begun = true;
            }
            if !whole {
                break;
            }
            let Some(mut job) = batch.pop_front() else { break };
            if !begun && self.begin_prepared().await.is_err() {
                job.answer(false);
                batch.drain(..).for_each(|job| job.answer(false));
                done.into_iter().for_each(|job: Box<dyn Job>| job.answer(false));
                return;
            }
            begun = true;
            whole = !matches!(self.write_one(&mut *job).await, Fate::Collapsed);
            done.push(job);
        }
        // Where nothing was begun there was nothing to write.
        let written = whole && (!begun || self.commit().await.is_ok());
        if !whole && let Err(error) = self.abandon().await {
            tracing::error!(error = &error as &dyn std::error::Error, "the registry is in doubt");
        }
        done.into_iter().for_each(|job| job.answer(written));
    }

    /// Takes the jobs from the front of a batch that are events alone, and gives their events their
    /// places. One whose events cannot be sealed fails alone.
    fn seal_run(
        &mut self,
        batch: &mut VecDeque<Box<dyn Job>>,
        done: &mut Vec<Box<dyn Job>>,
    ) -> Vec<(Entry, Event)> {
        let mut run = Vec::new();
        while let Some(job) = batch.front_mut()
            && let Some(events) = job.events_alone()
        {
            let (before, head) = (run.len(), self.end.head);
            for event in events {
                match cs_audit::seal(self.end.head.as_ref(), &event) {
                    Ok(entry) => {
                        self.end.head = Some(entry.head());
                        run.push((entry, event));
                    }
                    Err(error) => {
                        job.fail(RegistryError::Seal(error));
                        run.truncate(before);
                        self.end.head = head;
                        break;
                    }
                }
            }
            done.extend(batch.pop_front());
        }
        run
    }

    /// Writes sealed events, many at a time. Says whether the transaction stands.
    async fn write_run(&mut self, run: &[(Entry, Event)], begun: bool) -> bool {
        self.state = State::Open;
        let written = audit::insert_all(&mut self.db, run, begun).await;
        if let Err(error) = &written {
            self.health.failed(error.trouble());
        }
        written.is_ok()
    }

    async fn write_one(&mut self, job: &mut dyn Job) -> Fate {
        let before = self.end.head;
        if sqlx::query("SAVEPOINT job").execute(&mut self.db).await.is_err() {
            job.fail(RegistryError::Unwritten);
            return Fate::Collapsed;
        }
        if let Some(events) = job.run(&mut self.db).await {
            match self.append(&events).await {
                Ok(()) => {
                    if sqlx::query("RELEASE job").execute(&mut self.db).await.is_ok() {
                        return Fate::Kept;
                    }
                    job.fail(RegistryError::Unwritten);
                }
                Err(error) => job.fail(error),
            }
        } else {
            self.health.failed(job.failure().and_then(RegistryError::trouble));
        }
        self.end.head = before;
        for undo in ["ROLLBACK TO job", "RELEASE job"] {
            if sqlx::query(undo).execute(&mut self.db).await.is_err() {
                return Fate::Collapsed;
            }
        }
        Fate::Undone
    }

    /// Gives the connection up and takes a new one, once all that the database holds is written
    /// out again and the chain goes on from where it was known to be durable.
    async fn reopen(&mut self) -> Result<(), RegistryError> {
        self.replace(self.options.clone()).await?;
        self.checkpoint().await?;
        let stored = self.verified_head().await?;
        self.settle_pending(stored)?;
        (self.end.head, self.durable) = (self.end_after(stored), stored);
        self.state = State::Ready;
        if let Err(error) = self.renew_journal().await {
            // The journal that is in doubt is not written to again.
            self.state = State::Doubtful;
            return Err(error);
        }
        self.tail.is_renewed();
        tracing::info!("the registry was reopened and its audit chain goes on");
        Ok(())
    }

    async fn verified_head(&mut self) -> Result<Option<Head>, RegistryError> {
        const WHAT: RegistryError = RegistryError::Damaged { what: "an audit log" };
        let mut verifier = Verifier::new();
        let mut seq = 0;
        if let Some(durable) = self.durable {
            if audit::hash_at(&mut self.db, durable.seq).await? != Some(durable.hash) {
                return Err(WHAT);
            }
            (verifier, seq) = (Verifier::after(durable), durable.seq);
        }
        loop {
            let entries = audit::entries_after(&mut self.db, seq, 1000).await?;
            let Some(last) = entries.last() else {
                return Ok(verifier.head());
            };
            seq = last.seq;
            for entry in &entries {
                verifier.push(entry).map_err(|_| WHAT)?;
            }
        }
    }

    async fn replace(&mut self, options: SqliteConnectOptions) -> Result<(), RegistryError> {
        let next = options.connect().await.doing("open the registry again")?;
        self.syncs = true;
        let last = std::mem::replace(&mut self.db, next);
        if let Err(error) = last.close().await {
            tracing::warn!(%error, "a connection to the registry did not close");
        }
        Ok(())
    }

    /// Closes the connection and lets others have the registry. What is not committed is lost.
    pub(crate) async fn close(&mut self) -> Result<(), RegistryError> {
        if self.state == State::Closed {
            return Ok(());
        }
        self.recall();
        // What cannot be moved stays in the journal, for whoever opens the registry next.
        if let Err(error) = self.put_away().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the registry is closed with its last changes beside it");
        }
        self.state = State::Closed;
        // A connection to nothing takes the place of the one that is closed.
        self.replace(SqliteConnectOptions::new().in_memory(true)).await?;
        self.lock = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! The one connection that writes.
//!
//! Small writes of live traffic queue up and share a commit, because making something durable
//! costs far more than writing it. Each has a savepoint of its own: one that fails takes nothing
//! with it. Nobody is answered before the commit is on disk.
//!
//! When a commit fails, nobody knows what is on disk: the operating system may have dropped the
//! pages and call the next attempt a success. So the connection is given up; a new one writes
//! everything out again, checks the audit chain from the last entry that is known to be durable,
//! and only then are writes accepted again.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use cs_audit::{Head, Verifier};
use cs_model::event::Event;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::error::Doing as _;
use crate::health::{Health, Trouble};
use crate::open::Lock;
use crate::{RegistryError, audit};

/// A small write, and the audit events that tell of it.
pub trait Work: Send + 'static {
    /// What it answers with.
    type Done: Send + 'static;

    /// Does it. When this fails, nothing of it is written; when it does not, the answer is given
    /// once the rows and the events are durable.
    fn run(
        self,
        db: &mut SqliteConnection,
    ) -> impl Future<Output = Result<(Self::Done, Vec<Event>), RegistryError>> + Send;
}

type Events<'a> = Pin<Box<dyn Future<Output = Option<Vec<Event>>> + Send + 'a>>;

/// A write in the queue.
pub(crate) trait Job: Send {
    /// Does the work; nothing when it failed.
    fn run<'a>(&'a mut self, db: &'a mut SqliteConnection) -> Events<'a>;

    /// What the work failed with.
    fn failure(&self) -> Option<&RegistryError>;

    /// Replaces the answer by this failure.
    fn fail(&mut self, error: RegistryError);

    /// Answers, once it is known whether the work was written.
    fn answer(self: Box<Self>, written: bool);
}

struct Submitted<W: Work> {
    work: Option<W>,
    result: Result<W::Done, RegistryError>,
    reply: oneshot::Sender<Result<W::Done, RegistryError>>,
}

impl<W: Work> Job for Submitted<W> {
    fn run<'a>(&'a mut self, db: &'a mut SqliteConnection) -> Events<'a> {
        Box::pin(async move {
            match self.work.take()?.run(db).await {
                Ok((done, events)) => {
                    self.result = Ok(done);
                    Some(events)
                }
                Err(error) => {
                    self.result = Err(error);
                    None
                }
            }
        })
    }

    fn failure(&self) -> Option<&RegistryError> {
        self.result.as_ref().err()
    }

    fn fail(&mut self, error: RegistryError) {
        self.result = Err(error);
    }

    fn answer(self: Box<Self>, written: bool) {
        let result = match self.result {
            Ok(_) if !written => Err(RegistryError::Unwritten),
            result => result,
        };
        // Whoever asked may have gone. What was written stays written.
        let _ = self.reply.send(result);
    }
}

/// The queue of small writes.
pub(crate) type Queue = mpsc::Sender<Box<dyn Job>>;

/// How many writes share a commit at most.
const BATCH: usize = 512;

/// How many writes may wait.
const WAITING: usize = 4096;

/// Queues a write and waits for its answer.
pub(crate) async fn submit<W: Work>(queue: &Queue, work: W) -> Result<W::Done, RegistryError> {
    let (reply, answer) = oneshot::channel();
    let job = Submitted { work: Some(work), result: Err(RegistryError::Unwritten), reply };
    queue.send(Box::new(job)).await.map_err(|_| RegistryError::Closed)?;
    // Not answered: the write panicked, or the process is coming to its end.
    answer.await.map_err(|_| RegistryError::Unwritten)?
}

/// Starts to work the queue off, for as long as anybody can add to it.
pub(crate) fn start(writer: Arc<Mutex<Writer>>) -> Queue {
    let (queue, mut jobs) = mpsc::channel::<Box<dyn Job>>(WAITING);
    tokio::spawn(async move {
        let mut due = Vec::with_capacity(BATCH);
        while jobs.recv_many(&mut due, BATCH).await > 0 {
            let batch = due.drain(..).collect();
            // In a task of its own, so that a panic takes this batch with it and not the queue.
            // The transaction is left open then, and the next one to begin abandons it.
            let work = tokio::spawn(write_all(Arc::clone(&writer), batch));
            if let Err(error) = work.await {
                tracing::error!(%error, "a write to the registry did not come to its end");
            }
        }
    });
    queue
}

async fn write_all(writer: Arc<Mutex<Writer>>, mut batch: VecDeque<Box<dyn Job>>) {
    let mut writer = writer.lock().await;
    while !batch.is_empty() {
        writer.write(&mut batch).await;
    }
}

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
    /// Where the chain ends, what is not committed included.
    head: Option<Head>,
    /// Where the chain ended when a commit last succeeded.
    durable: Option<Head>,
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
        options: SqliteConnectOptions,
        mut db: SqliteConnection,
        lock: Lock,
        health: Health,
    ) -> Result<Self, RegistryError> {
        let head = audit::head(&mut db).await?;
        let (durable, lock) = (head, Some(lock));
        Ok(Self { options, db, head, durable, state: State::Ready, health, lock })
    }

    pub(crate) const fn db(&self) -> &SqliteConnection {
        &self.db
    }

    pub(crate) const fn db_mut(&mut self) -> &mut SqliteConnection {
        &mut self.db
    }

    /// Begins a transaction, on a connection that can be trusted.
    pub(crate) async fn begin(&mut self) -> Result<(), RegistryError> {
        let begun = self.begin_anew().await;
        if let Err(error) = &begun {
            self.health.failed(error.trouble());
        }
        begun
    }

    async fn begin_anew(&mut self) -> Result<(), RegistryError> {
        if self.health.is_damaged() && self.state != State::Closed {
            return Err(RegistryError::Damaged { what: "pages" });
        }
        match self.state {
            State::Closed => return Err(RegistryError::Closed),
            State::Doubtful => self.reopen().await?,
            State::Open => self.abandon().await?,
            State::Ready => {}
        }
        self.state = State::Open;
        let begun = sqlx::query("BEGIN IMMEDIATE").execute(&mut self.db).await;
        if begun.is_err() {
            self.state = State::Doubtful;
        }
        begun.map(drop).doing("begin to write")
    }

    /// Appends events to the chain, in the transaction.
    pub(crate) async fn append(&mut self, events: &[Event]) -> Result<(), RegistryError> {
        let appended = audit::append(&mut self.db, &mut self.head, events).await;
        if let Err(error) = &appended {
            self.health.failed(error.trouble());
        }
        appended
    }

    /// Makes the transaction durable. When that fails, it counts as not written.
    pub(crate) async fn commit(&mut self) -> Result<(), RegistryError> {
        match sqlx::query("COMMIT").execute(&mut self.db).await {
            Ok(_) => {
                // A commit of nothing says nothing of the disk.
                if self.durable != self.head {
                    self.health.works();
                }
                self.durable = self.head;
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
            Ok(head) => {
                (self.head, self.durable, self.state) = (head, head, State::Ready);
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
        if let Err(error) = self.begin().await {
            tracing::debug!(error = &error as &dyn std::error::Error, "the registry cannot write");
            batch.drain(..).for_each(|job| job.answer(false));
            return;
        }
        let mut done = Vec::with_capacity(batch.len());
        let mut whole = true;
        while whole && let Some(mut job) = batch.pop_front() {
            whole = !matches!(self.write_one(&mut *job).await, Fate::Collapsed);
            done.push(job);
        }
        let written = if whole { self.commit().await.is_ok() } else { false };
        if !whole && let Err(error) = self.abandon().await {
            tracing::error!(error = &error as &dyn std::error::Error, "the registry is in doubt");
        }
        done.into_iter().for_each(|job| job.answer(written));
    }

    async fn write_one(&mut self, job: &mut dyn Job) -> Fate {
        let before = self.head;
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
        self.head = before;
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
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut self.db)
            .await
            .doing("write the registry out again")?;
        if busy != 0 {
            return Err(RegistryError::Unwritten);
        }
        self.head = self.verified_head().await?;
        self.durable = self.head;
        self.state = State::Ready;
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
        self.state = State::Closed;
        // A connection to nothing takes the place of the one that is closed.
        self.replace(SqliteConnectOptions::new().in_memory(true)).await?;
        self.lock = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! What waits to be written.

use std::future::Future;
use std::pin::Pin;

use cs_model::event::Event;
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use crate::RegistryError;

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

    /// Whether it is events and nothing else: these are on record before they are in the database,
    /// and get there many at a time.
    const IS_EVENTS: bool = false;

    /// What it comes to where it is events and nothing else.
    ///
    /// # Errors
    ///
    /// The work itself, where it has to be run.
    fn events_alone(self) -> Result<(Self::Done, Vec<Event>), Self>
    where
        Self: Sized,
    {
        Err(self)
    }

    /// Whether it has to survive the machine's end, and not its process's alone, even where the
    /// registry is [set](crate::Registry::spare_disk) to promise no more than that.
    fn is_lasting(&self) -> bool {
        true
    }
}

type Events<'a> = Pin<Box<dyn Future<Output = Option<Vec<Event>>> + Send + 'a>>;

/// A write in the queue.
pub(crate) trait Job: Send {
    /// Whether it is events and nothing else.
    fn is_events(&self) -> bool;

    /// The events, when it is events and nothing else.
    fn events_alone(&mut self) -> Option<Vec<Event>>;

    /// Whether it has to survive the machine's end.
    fn is_lasting(&self) -> bool;

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
    fn is_events(&self) -> bool {
        W::IS_EVENTS
    }

    fn events_alone(&mut self) -> Option<Vec<Event>> {
        match self.work.take()?.events_alone() {
            Ok((done, events)) => {
                self.result = Ok(done);
                Some(events)
            }
            Err(work) => {
                self.work = Some(work);
                None
            }
        }
    }

    fn is_lasting(&self) -> bool {
        self.work.as_ref().is_none_or(Work::is_lasting)
    }

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

/// Where the answer to a write comes out.
pub(crate) type Answer<W> = oneshot::Receiver<Result<<W as Work>::Done, RegistryError>>;

/// A write, and where its answer comes out.
pub(crate) fn job<W: Work>(work: W) -> (Box<dyn Job>, Answer<W>) {
    let (reply, answer) = oneshot::channel();
    let job = Submitted { work: Some(work), result: Err(RegistryError::Unwritten), reply };
    (Box::new(job), answer)
}

/// Queues a write and waits for its answer.
pub(crate) async fn submit<W: Work>(queue: &Queue, work: W) -> Result<W::Done, RegistryError> {
    let (job, answer) = job(work);
    queue.send(job).await.map_err(|_| RegistryError::Closed)?;
    // Not answered: the write panicked, or the process is coming to its end.
    answer.await.map_err(|_| RegistryError::Unwritten)?
}

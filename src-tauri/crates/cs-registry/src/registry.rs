//! An open registry.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cs_model::event::Event;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use crate::error::Doing as _;
use crate::health::{Health, Trouble};
use crate::open::{self, OpenError, Opened};
use crate::writer::{self, Put, Queue, Tail, Writer};
use crate::{Instance, RegistryError, Work, audit};

/// How long closing waits for those who read.
const CLOSING: Duration = Duration::from_secs(5);

/// How often, and after how long, a registry whose pages are in use is looked at again. Whoever
/// keeps them to themselves does so for a moment.
const BUSY_TRIES: u32 = 40;
const BUSY_WAIT: Duration = Duration::from_millis(250);

/// An open registry: one connection that writes, several that read. Cheap to clone; all clones
/// are the same registry.
#[derive(Clone)]
pub struct Registry {
    instance: Arc<Instance>,
    path: Arc<Path>,
    /// Whether every page was looked at before it was opened.
    checked: bool,
    health: Health,
    readers: SqlitePool,
    pub(crate) writer: Arc<Mutex<Writer>>,
    pub(crate) tail: Tail,
    queue: Queue,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("instance", &self.instance.id).finish_non_exhaustive()
    }
}

impl Registry {
    /// Makes a new registry and opens it. It appears whole or not at all.
    ///
    /// # Errors
    ///
    /// Says why there is none; nothing was changed then.
    pub async fn create(path: &Path, instance: &Instance) -> Result<Self, OpenError> {
        Self::start(path, open::create(path, instance).await?).await
    }

    /// Opens a registry, and brings one of an older version up to date. Every page of a small one
    /// is looked at first; a large one is open before that, and [`Registry::check`] looks.
    ///
    /// # Errors
    ///
    /// Says why not; nothing was changed then.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_checking(path, open::CHECKED_AT_ONCE).await
    }

    /// The same, where one of more bytes than this is large.
    pub(crate) async fn open_checking(path: &Path, most: u64) -> Result<Self, OpenError> {
        Self::start(path, open::open(path, most).await?).await
    }

    /// Whether every page was looked at before it was opened.
    pub const fn is_checked(&self) -> bool {
        self.checked
    }

    /// Looks at every page, beside whoever reads and writes. Nothing more is written to one that
    /// is found damaged.
    ///
    /// # Errors
    ///
    /// [`OpenError::Damaged`], or why it could not be looked at.
    pub async fn check(&self) -> Result<(), OpenError> {
        let mut checked = open::check_beside(&self.path).await;
        for _ in 0..BUSY_TRIES {
            if !matches!(checked, Err(OpenError::Busy)) {
                break;
            }
            tokio::time::sleep(BUSY_WAIT).await;
            checked = open::check_beside(&self.path).await;
        }
        if let Err(OpenError::Damaged { what }) = &checked {
            self.health.failed(Some(Trouble::Damaged { what: what.clone() }));
        }
        checked
    }

    /// Why it cannot be written to, if it was tried and failed.
    pub fn trouble(&self) -> Option<Trouble> {
        self.health.now()
    }

    /// The same, and what becomes of it. Closes when the registry is gone.
    pub fn health(&self) -> watch::Receiver<Option<Trouble>> {
        self.health.listen()
    }

    async fn start(path: &Path, opened: Opened) -> Result<Self, OpenError> {
        let failed = |source: RegistryError| {
            if let RegistryError::Damaged { what } = source {
                return OpenError::Damaged { what: what.to_owned() };
            }
            OpenError::Failed { doing: "read the end of the audit log", source: Box::new(source) }
        };
        let options = open::options(path);
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(10))
            .connect_lazy_with(options.clone().pragma("query_only", "ON"));
        let health = Health::default();
        let writer = Writer::new(path, options, opened.db, opened.lock, health.clone());
        let writer = writer.await.map_err(failed)?;
        let tail = writer.tail();
        let writer = Arc::new(Mutex::new(writer));
        let queue = writer::start(Arc::clone(&writer), tail.clone());
        let (instance, path) = (Arc::new(opened.instance), Arc::from(path));
        let checked = opened.checked;
        Ok(Self { instance, path, checked, health, readers, writer, tail, queue })
    }

    /// What tells this installation from any other.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Something to look with. All that it reads is of one moment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn read(&self) -> Result<Reader, RegistryError> {
        if self.tail.is_there() {
            // Where nothing can be written one can still look at what there is.
            let moved = self.writer.lock().await.move_aside().await;
            moved
                .unwrap_or_else(|error| tracing::debug!(%error, "the log is read without its end"));
        }
        let transaction = self.readers.begin().await.doing("begin to read")?;
        Ok(Reader { transaction })
    }

    /// Something to change with. While it is held, nothing else is written: hold it briefly, wait
    /// for nothing but the registry, and never for [`Registry::submit`].
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn begin(&self) -> Result<Change, RegistryError> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        writer.begin().await?;
        Ok(Change { writer })
    }

    /// Does a small write together with others that are due. Durable once it returns; when it
    /// fails, nothing of it was written, or (only [`RegistryError::Unwritten`]) nobody knows.
    /// Giving up waiting does not take the write back.
    ///
    /// # Errors
    ///
    /// What the work fails with, or that it could not be made durable.
    pub async fn submit<W: Work>(&self, work: W) -> Result<W::Done, RegistryError> {
        writer::submit(&self.queue, work).await
    }

    /// Puts events on record, in order. Durable once it returns.
    ///
    /// # Errors
    ///
    /// When they are not on record.
    pub async fn record(&self, events: Vec<Event>) -> Result<(), RegistryError> {
        match self.tail.put(events).await {
            Put::Done(done) => done,
            Put::Queue(events) => self.submit(audit::Record { events }).await,
        }
    }

    /// Whether what is recorded of calls that the policy allows has to survive this process only:
    /// a machine that loses its power may forget the last of them. Whatever else is written, a
    /// denial, a spent token and a change above all, is on the disk before anybody is answered.
    pub async fn spare_disk(&self, spares: bool) {
        self.writer.lock().await.spare_disk(spares);
    }

    /// Has all that was acknowledged survive the machine's end, also what was spared the disk.
    ///
    /// # Errors
    ///
    /// When nobody knows whether it would.
    pub async fn sync(&self) -> Result<(), RegistryError> {
        self.writer.lock().await.move_aside().await?;
        let wal = open::beside(&self.path, "-wal");
        let synced = tokio::task::spawn_blocking(move || open::sync_file(&wal)).await;
        synced
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|source| RegistryError::file("have the registry on the disk", source))
    }

    /// Closes the registry, for all clones. What was acknowledged is in the one file then.
    ///
    /// # Errors
    ///
    /// When the last writes cannot be put in their place. They are kept beside it.
    pub async fn close(&self) -> Result<(), RegistryError> {
        // Whoever still reads may finish, but cannot hold this up for ever.
        if tokio::time::timeout(CLOSING, self.readers.close()).await.is_err() {
            tracing::warn!("the registry is closed although somebody still reads");
        }
        self.writer.lock().await.close().await
    }
}

/// Something to look with: a [`SqliteConnection`] that cannot write.
#[derive(Debug)]
pub struct Reader {
    transaction: Transaction<'static, Sqlite>,
}

impl Deref for Reader {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.transaction
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

/// A change in the making: a [`SqliteConnection`] in a transaction. Dropped without
/// [`Change::commit`], it was never made.
#[derive(Debug)]
#[must_use = "a change that is not committed is not made"]
pub struct Change {
    writer: OwnedMutexGuard<Writer>,
}

impl Change {
    /// Makes the change, together with the events that tell of it. Durable once it returns.
    ///
    /// # Errors
    ///
    /// When it was not made, or (only [`RegistryError::Unwritten`]) nobody knows.
    pub async fn commit(mut self, events: &[Event]) -> Result<(), RegistryError> {
        // Left open when this fails, as when a change is dropped: the next to begin abandons it.
        self.writer.append(events).await?;
        self.writer.commit().await?;
        self.writer.lend();
        Ok(())
    }
}

impl Deref for Change {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.writer.db()
    }
}

impl DerefMut for Change {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.writer.db_mut()
    }
}

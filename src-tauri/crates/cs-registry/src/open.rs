//! Opening a registry: what is checked before anything is changed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::instance::{self, Instance};
use crate::writer::journal;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The schema that this version writes: the number of the last migration.
pub(crate) const SCHEMA: u32 = 25;

/// `CSGN`, in the header of every registry.
const APPLICATION: u32 = u32::from_be_bytes(*b"CSGN");

/// How many bytes a registry has at most for every page to be looked at before it opens. That
/// takes a fraction of a second; a large one would keep its agents waiting for several.
pub(crate) const CHECKED_AT_ONCE: u64 = 64 << 20;

/// Why a registry could not be opened or made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has it open.
    #[error("the registry is in use by another process")]
    Busy,
    /// Its content is not sound.
    #[error("the registry is damaged ({what}); restore it from a backup")]
    Damaged {
        /// What was found.
        what: String,
    },
    /// There is a registry already where a new one was to be made.
    #[error("there is a registry already")]
    Exists,
    /// The disk is full.
    #[error("the disk is full; make room and try again")]
    Full,
    /// There is none.
    #[error("there is no registry here")]
    Missing,
    /// A newer version of Countersign wrote it.
    #[error(
        "the registry was written by a newer version of Countersign \
         (schema {found}, this version knows {known}); update this installation"
    )]
    Newer {
        /// The schema that it has.
        found: u32,
        /// The newest schema that this version knows.
        known: u32,
    },
    /// The file is something else.
    #[error("the file is not a registry of Countersign")]
    NotARegistry,
    /// It cannot be written to.
    #[error("the registry cannot be written to: its folder or file is read-only")]
    ReadOnly,
    /// The operating system or the database failed.
    #[error("could not {doing}")]
    Failed {
        /// What was being done, to follow "could not".
        doing: &'static str,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the system has more kinds than we tell apart"
    )]
    fn io(doing: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Failed { doing, source: Box::new(source) },
        }
    }

    fn database(doing: &'static str, source: sqlx::Error) -> Self {
        let code = result_code(&source);
        match code.map(|code| code & 0xff) {
            Some(5 | 6) => Self::Busy,
            Some(8) => Self::ReadOnly,
            Some(10) if code == Some(NO_ROOM_TO_SHARE) => Self::Full,
            Some(11) => Self::Damaged { what: "malformed pages".to_owned() },
            Some(13) => Self::Full,
            Some(26) => Self::NotARegistry,
            _ => Self::Failed { doing, source: Box::new(source) },
        }
    }
}

/// Not even the memory that connections share could be given its size.
pub(crate) const NO_ROOM_TO_SHARE: u32 = 10 | (19 << 8);

/// SQLite's extended result code. Its lowest byte is the primary one.
pub(crate) fn result_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Keeps everybody else out, for as long as it is held. The database has locks of its own, but
/// they let a second writer wait its turn, and there must be none: the end of the audit chain is
/// kept in memory.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn lock(path: &Path) -> Result<Lock, OpenError> {
    let file = private(OpenOptions::new().read(true).write(true).create(true))
        .open(beside(path, "-lock"))
        .map_err(|source| OpenError::io("open the registry's lock", source))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(OpenError::Busy),
        Err(TryLockError::Error(source)) => Err(OpenError::io("lock the registry", source)),
    }
}

/// A file that nobody but its owner can read.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// What the database writes beside the file gets the permissions of the file.
fn keep_private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let found = std::fs::metadata(path)?.permissions();
        if found.mode() & 0o077 != 0 {
            tracing::warn!("others could read the registry; they cannot any longer");
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// How the database is opened, for the writer.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged survives a power cut. In WAL mode NORMAL does not promise that.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .pragma("secure_delete", "ON")
        .pragma("mmap_size", "0")
        .pragma("temp_store", "MEMORY")
        // The pages that every append changes are put in their place once for many of them.
        .pragma("wal_autocheckpoint", "4000")
        .pragma("cache_size", "-16384")
        .pragma("journal_size_limit", "67108864")
        // Only macOS has these; elsewhere they change nothing.
        .pragma("fullfsync", "ON")
        .pragma("checkpoint_fullfsync", "ON")
        .statement_cache_capacity(256)
        .disable_statement_logging()
}

/// A registry that passed every check, with the lock that keeps it ours.
pub(crate) struct Opened {
    pub(crate) db: SqliteConnection,
    pub(crate) instance: Instance,
    pub(crate) lock: Lock,
    /// Whether every page was looked at.
    pub(crate) checked: bool,
}

/// Makes a new registry: whole, or not at all.
pub(crate) async fn create(path: &Path, instance: &Instance) -> Result<Opened, OpenError> {
    if let Some(folder) = path.parent() {
        private_folder(folder).map_err(|source| OpenError::io("make the folder", source))?;
    }
    let lock = lock(path)?;
    if path.exists() {
        return Err(OpenError::Exists);
    }
    let draft = beside(path, ".new");
    discard(&draft);
    let drafted = fill(&draft, instance).await;
    if drafted.is_err() {
        discard(&draft);
    }
    drafted?;
    // What somebody has left beside a registry that is gone is not this one's.
    journal::remove(&journal::path(path))
        .and_then(|()| std::fs::rename(&draft, path))
        .and_then(|()| sync_folder(path))
        .map_err(|source| OpenError::io("put the registry in its place", source))?;
    connect(path, lock, Look::Done { whole: true }).await
}

/// What is left to look at once a registry is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Look {
    /// Nothing; `whole` says whether every page was looked at.
    Done { whole: bool },
    /// Its last changes had to be put in their place first.
    Due { whole: bool },
}

/// Removes what is left of a registry that was never finished.
fn discard(draft: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let file = beside(draft, suffix);
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "could not remove an unfinished registry");
        }
    }
}

async fn fill(draft: &Path, instance: &Instance) -> Result<(), OpenError> {
    private(OpenOptions::new().write(true).create_new(true))
        .open(draft)
        .map_err(|source| OpenError::io("make the registry's file", source))?;
    let mut db = options(draft)
        .connect()
        .await
        .map_err(|source| OpenError::database("open the new registry", source))?;
    migrate(&mut db).await?;
    instance::insert(&mut db, instance)
        .await
        .map_err(|source| failed("write the instance", source))?;
    db.close().await.map_err(|source| OpenError::database("close the new registry", source))
}

fn failed(doing: &'static str, source: crate::RegistryError) -> OpenError {
    if let crate::RegistryError::Database { source, .. } = source {
        OpenError::database(doing, source)
    } else {
        OpenError::Failed { doing, source: Box::new(source) }
    }
}

/// Has what a file holds on the disk, if there is one.
pub(crate) fn sync_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file.sync_data(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Has the names in a file's folder on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Opens a registry that exists. Every page is looked at, unless it has more bytes than this.
pub(crate) async fn open(path: &Path, most: u64) -> Result<Opened, OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing);
    }
    // First the lock, then a look at the file: closing a file drops the locks that the database
    // has on it in this process.
    let lock = lock(path)?;
    check_header(path)?;
    let look = check_closed(path, most).await?;
    keep_private(path).map_err(|source| OpenError::io("make the registry private", source))?;
    connect(path, lock, look).await
}

/// Looks at a registry that was closed in good order through a connection that writes nothing at
/// all, not even beside it. One that was not is looked at once its last changes are in place.
async fn check_closed(path: &Path, most: u64) -> Result<Look, OpenError> {
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let (file, wal) = (bytes(path), bytes(&beside(path, "-wal")));
    let whole = file.saturating_add(wal) <= most;
    if wal > 0 {
        return Ok(Look::Due { whole });
    }
    check_length(path, file)?;
    let mut db = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(true)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .disable_statement_logging()
        .connect()
        .await
        .map_err(|source| OpenError::database("look at the registry", source))?;
    let sound = check_content(&mut db, whole).await;
    db.close().await.map_err(|source| OpenError::database("look at the registry", source))?;
    sound.map(|()| Look::Done { whole })
}

/// Looks at every page of a registry that is open, through a connection of its own.
pub(crate) async fn check_beside(path: &Path) -> Result<(), OpenError> {
    let mut db = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .disable_statement_logging()
        .connect()
        .await
        .map_err(|source| OpenError::database("look at the registry", source))?;
    let sound = check_pages(&mut db).await;
    db.close().await.map_err(|source| OpenError::database("look at the registry", source))?;
    sound
}

async fn check_pages(db: &mut SqliteConnection) -> Result<(), OpenError> {
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(db)
        .await
        .map_err(|source| OpenError::database("check the registry", source))?;
    if found == "ok" { Ok(()) } else { Err(OpenError::Damaged { what: found }) }
}

/// Whether this version can read it and, if the `whole` is looked at, the pages hold what they
/// should.
async fn check_content(db: &mut SqliteConnection, whole: bool) -> Result<(), OpenError> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *db)
        .await
        .map_err(|source| OpenError::database("read the schema's version", source))?;
    known(u32::try_from(version).unwrap_or(u32::MAX))?;
    if whole {
        check_pages(&mut *db).await?;
    }
    let latest: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(db)
        .await
        .map_err(|source| OpenError::database("read the schema's version", source))?;
    known(u32::try_from(latest.unwrap_or(0)).unwrap_or(u32::MAX))
}

/// Looks at the file before the database does, which would already write beside it.
fn check_header(path: &Path) -> Result<(), OpenError> {
    let header = Header::read(path)?;
    if !header.0.starts_with(b"SQLite format 3\0") || header.number(68) != APPLICATION {
        return Err(OpenError::NotARegistry);
    }
    known(header.number(60))
}

/// Whether the file has all the pages that its header counts.
fn check_length(path: &Path, bytes: u64) -> Result<(), OpenError> {
    let header = Header::read(path)?;
    let page = match header.number(16) >> 16 {
        1 => 65_536,
        size => u64::from(size),
    };
    // The count is of use only while nobody who does not keep it has changed the file.
    let is_kept = header.number(24) == header.number(92);
    if is_kept && bytes < page.saturating_mul(u64::from(header.number(28))) {
        return Err(OpenError::Damaged { what: "its end is missing".to_owned() });
    }
    Ok(())
}

/// The first bytes of a database (SQLite's file format, section 1.3).
struct Header([u8; 100]);

impl Header {
    fn read(path: &Path) -> Result<Self, OpenError> {
        let doing = "read the registry's header";
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|source| OpenError::io(doing, source))?;
        let mut header = [0_u8; 100];
        match file.read_exact(&mut header) {
            Ok(()) => Ok(Self(header)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(OpenError::NotARegistry)
            }
            Err(error) => Err(OpenError::io(doing, error)),
        }
    }

    fn number(&self, at: usize) -> u32 {
        let bytes = self.0.get(at..).and_then(<[u8]>::first_chunk::<4>);
        bytes.map(|bytes| u32::from_be_bytes(*bytes)).unwrap_or_default()
    }
}

const fn known(found: u32) -> Result<(), OpenError> {
    if found > SCHEMA { Err(OpenError::Newer { found, known: SCHEMA }) } else { Ok(()) }
}

async fn connect(path: &Path, lock: Lock, look: Look) -> Result<Opened, OpenError> {
    let mut db = options(path)
        .connect()
        .await
        .map_err(|source| OpenError::database("open the registry", source))?;
    let (Look::Done { whole: checked } | Look::Due { whole: checked }) = look;
    match examine(&mut db, look).await {
        Ok(instance) => Ok(Opened { db, instance, lock, checked }),
        Err(error) => {
            // Nothing more can be done about a connection that does not close.
            let _ = db.close().await;
            Err(error)
        }
    }
}

async fn examine(db: &mut SqliteConnection, look: Look) -> Result<Instance, OpenError> {
    if let Look::Due { whole } = look {
        check_content(&mut *db, whole).await?;
    }
    migrate(&mut *db).await?;
    instance::load(db)
        .await
        .map_err(|source| failed("read the instance", source))?
        .ok_or_else(|| OpenError::Damaged { what: "it has no instance".to_owned() })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "sqlx has more failures than we tell apart")]
async fn migrate(db: &mut SqliteConnection) -> Result<(), OpenError> {
    MIGRATIONS.run_direct(None, db, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => {
            OpenError::Newer { found: u32::try_from(found).unwrap_or(u32::MAX), known: SCHEMA }
        }
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            OpenError::database("bring the registry up to date", source)
        }
        MigrateError::VersionMismatch(number) => {
            OpenError::Damaged { what: format!("migration {number} is not the one that was run") }
        }
        MigrateError::Dirty(number) => {
            OpenError::Damaged { what: format!("migration {number} was not finished") }
        }
        other => {
            OpenError::Failed { doing: "bring the registry up to date", source: Box::new(other) }
        }
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests;

//! Whether what is written gets to the disk.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use crate::RegistryError;
use crate::open::{NO_ROOM_TO_SHARE, result_code};

/// Why a registry cannot be written to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// Its content is not sound. That does not pass: it has to be restored.
    Damaged {
        /// What was found.
        what: String,
    },
    /// The disk does not do what it is told.
    Failing,
    /// The disk is full.
    Full,
    /// Its file or the disk is read-only.
    ReadOnly,
}

impl Trouble {
    /// What a failure of the database says of the disk; nothing, when it is about the statement.
    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        if matches!(error, sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed) {
            return Some(Self::Failing);
        }
        let code = result_code(error)?;
        match (code & 0xff, code) {
            (8, _) => Some(Self::ReadOnly),
            (13, _) | (_, NO_ROOM_TO_SHARE) => Some(Self::Full),
            (10 | 14, _) => Some(Self::Failing),
            (11 | 26, _) => Some(Self::Damaged { what: "malformed pages".to_owned() }),
            _ => None,
        }
    }
}

impl Trouble {
    /// What a failure of the operating system says of the disk.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the system has more kinds than we tell apart"
    )]
    pub(crate) fn of_file(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Failing,
        }
    }
}

impl RegistryError {
    /// What the failure says of the disk that has the registry.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Database { source, .. } => Trouble::of(source),
            Self::File { source, .. } => Some(Trouble::of_file(source)),
            Self::Closed
            | Self::Conflict { .. }
            | Self::Damaged { .. }
            | Self::NotFound { .. }
            | Self::State { .. }
            | Self::Seal(_)
            | Self::Unwritten => None,
        }
    }
}

/// How a registry is doing, as its writer finds. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health(Arc<watch::Sender<Option<Trouble>>>);

impl Health {
    pub(crate) fn now(&self) -> Option<Trouble> {
        self.0.borrow().clone()
    }

    pub(crate) fn listen(&self) -> watch::Receiver<Option<Trouble>> {
        self.0.subscribe()
    }

    pub(crate) fn is_damaged(&self) -> bool {
        matches!(*self.0.borrow(), Some(Trouble::Damaged { .. }))
    }

    /// Something could not be written.
    pub(crate) fn failed(&self, trouble: Option<Trouble>) {
        let Some(trouble) = trouble else { return };
        self.0.send_if_modified(|now| {
            let is_news =
                now.as_ref() != Some(&trouble) && !matches!(now, Some(Trouble::Damaged { .. }));
            if is_news {
                tracing::error!(?trouble, "the registry cannot be written to");
                *now = Some(trouble);
            }
            is_news
        });
    }

    /// Something was written.
    pub(crate) fn works(&self) {
        self.0.send_if_modified(|now| {
            let passed = matches!(now, Some(Trouble::Failing | Trouble::Full | Trouble::ReadOnly));
            if passed {
                tracing::info!("the registry can be written to again");
                *now = None;
            }
            passed
        });
    }
}

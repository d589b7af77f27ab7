//! What can go wrong with a registry that is open.

/// A failed registry operation.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry was closed.
    #[error("the registry is closed")]
    Closed,
    /// It is there already.
    #[error("{what} exists already")]
    Conflict {
        /// What clashed.
        what: &'static str,
    },
    /// What is kept cannot be what was written.
    #[error("the registry holds {what} that cannot be read")]
    Damaged {
        /// What was being read.
        what: &'static str,
    },
    /// The database refused or failed.
    #[error("could not {doing}")]
    Database {
        /// What was being done, to follow "could not".
        doing: &'static str,
        /// What the database said. Goes to the log, never to a caller.
        source: sqlx::Error,
    },
    /// The operating system failed with a file beside the database.
    #[error("could not {doing}")]
    File {
        /// What was being done, to follow "could not".
        doing: &'static str,
        /// What the system said. Goes to the log, never to a caller.
        source: std::io::Error,
    },
    /// There is no such thing in this tenant. The same answer whether it exists elsewhere or
    /// not at all.
    #[error("no such {what}")]
    NotFound {
        /// What was looked for, as an operator would call it.
        what: &'static str,
    },
    /// It is not in a state in which that can be done.
    #[error("{what} is no longer in the state that this needs")]
    State {
        /// What it is.
        what: &'static str,
    },
    /// The event cannot be put in its canonical form.
    #[error("could not seal an audit event")]
    Seal(#[source] cs_audit::SealError),
    /// It is not known to be on disk. It counts as not written, and the caller must not go on.
    #[error("could not make a change durable")]
    Unwritten,
}

impl RegistryError {
    pub(crate) const fn file(doing: &'static str, source: std::io::Error) -> Self {
        Self::File { doing, source }
    }
}

/// Says what was being done when the database failed.
pub(crate) trait Doing<T> {
    /// Turns a failure into a [`RegistryError::Database`].
    fn doing(self, doing: &'static str) -> Result<T, RegistryError>;

    /// The same, but a row that clashes with another is a [`RegistryError::Conflict`], and one
    /// that refers to nothing a [`RegistryError::NotFound`].
    fn creating(self, what: &'static str, doing: &'static str) -> Result<T, RegistryError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, RegistryError> {
        self.map_err(|source| RegistryError::Database { doing, source })
    }

    fn creating(self, what: &'static str, doing: &'static str) -> Result<T, RegistryError> {
        self.map_err(|source| match source.as_database_error() {
            Some(error) if error.is_unique_violation() => RegistryError::Conflict { what },
            Some(error) if error.is_foreign_key_violation() => {
                RegistryError::NotFound { what: "thing in this tenant that it refers to" }
            }
            _ => RegistryError::Database { doing, source },
        })
    }
}

/// One row was changed, or there is no such thing.
pub(crate) const fn one(rows: u64, what: &'static str) -> Result<(), RegistryError> {
    if rows == 0 { Err(RegistryError::NotFound { what }) } else { Ok(()) }
}

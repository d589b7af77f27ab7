//! Why a command failed: for the code that calls it, and for the person who asked.

use cs_gateway::ports::PortError;
use cs_model::CorrelationId;
use cs_registry::{OpenError, RegistryError};
use cs_secrets::SecretError;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::actor::Permission;
use crate::health;

/// What kind of failure it is. A code is here only if a screen or a script acts on it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// It is there already, or something else stands in the way.
    Conflict,
    /// This operator may not do it.
    Forbidden,
    /// Something that should not happen did.
    Internal,
    /// The arguments cannot be right.
    Invalid,
    /// The console has to be unlocked first.
    Locked,
    /// There is no such thing in this tenant.
    NotFound,
    /// Somebody changed it in the meantime.
    Stale,
    /// Something it depends on does not answer: the disk, the keychain, the gateway.
    Unavailable,
    /// The upstream server did not do its part.
    Upstream,
    /// The passphrase is not the right one.
    WrongPassphrase,
}

/// What every failed command answers with.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct Failure {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// What happened, what it means, what to do.
    pub message: String,
    /// Finds the audit event or the log line.
    pub correlation: CorrelationId,
    /// The field of the arguments that is at fault.
    pub field: Option<String>,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It is there already, or something else stands in the way.
    #[error("{message}")]
    Conflict {
        /// What stands in the way, and what to do.
        message: String,
    },
    /// The caller may not do it.
    #[error("this needs the right to {}; ask an owner", verb(*.needs))]
    Forbidden {
        /// What it needs.
        needs: Permission,
    },
    /// Another process works on this home.
    #[error("this home is in use by {holder}; stop it first, or steer it from there")]
    InUse {
        /// Who holds it.
        holder: String,
    },
    /// Something that should not happen did.
    #[error("Countersign could not {doing}; the log has the details")]
    Internal {
        /// What was being done, to follow "could not".
        doing: &'static str,
        /// What went wrong. Goes to the log, never to a caller.
        #[source]
        source: Option<Source>,
    },
    /// The arguments cannot be right.
    #[error("{message}")]
    Invalid {
        /// The field that is at fault.
        field: Option<&'static str>,
        /// What is wrong with it.
        message: String,
    },
    /// The console has to be unlocked first.
    #[error("the console is locked; unlock it with your passphrase")]
    Locked,
    /// The arguments are not those of the command.
    #[error("{message}")]
    Misread {
        /// The field that is at fault.
        field: Option<String>,
        /// What is wrong with it.
        message: String,
    },
    /// There is no registry in this home yet.
    #[error("there is no registry in this home yet; finish the first run, or run `init`")]
    NoRegistry,
    /// There is no such thing in this tenant. The same answer whether it exists elsewhere.
    #[error("there is no such {what}; it may have been removed")]
    NotFound {
        /// What was looked for, as an operator would call it.
        what: &'static str,
    },
    /// Somebody changed it in the meantime.
    #[error("{message}")]
    Stale {
        /// What changed, and what to do.
        message: String,
    },
    /// Something it depends on does not answer.
    #[error("{message}")]
    Unavailable {
        /// What does not answer, what that means, what to do.
        message: String,
        /// What went wrong. Goes to the log.
        #[source]
        source: Option<Source>,
    },
    /// The upstream server did not do its part.
    #[error("{message}")]
    Upstream {
        /// What the server did, and what to look at.
        message: String,
    },
    /// The passphrase is not the right one.
    #[error("{message}")]
    WrongPassphrase {
        /// That, and how long to wait before the next attempt.
        message: String,
    },
}

/// What went wrong underneath.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

const fn verb(needs: Permission) -> &'static str {
    match needs {
        Permission::Decide => "decide on waiting calls",
        Permission::Edit => "change the policy",
        Permission::Knock => "use the console",
        Permission::Look => "look at the registry",
        Permission::Own => "manage operators",
    }
}

impl ControlError {
    /// Arguments that cannot be right.
    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field: Some(field), message: message.into() }
    }

    /// Something in the way.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into() }
    }

    /// Something that should not happen.
    pub(crate) fn internal(doing: &'static str, source: impl Into<Source>) -> Self {
        Self::Internal { doing, source: Some(source.into()) }
    }

    /// Something that does not answer.
    pub(crate) fn unavailable(message: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Unavailable { message: message.into(), source: Some(source.into()) }
    }

    const fn code(&self) -> ErrorCode {
        match self {
            Self::Conflict { .. } => ErrorCode::Conflict,
            Self::Forbidden { .. } => ErrorCode::Forbidden,
            Self::Internal { .. } => ErrorCode::Internal,
            Self::Invalid { .. } | Self::Misread { .. } => ErrorCode::Invalid,
            Self::Locked => ErrorCode::Locked,
            Self::InUse { .. } | Self::NoRegistry | Self::Unavailable { .. } => {
                ErrorCode::Unavailable
            }
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::Stale { .. } => ErrorCode::Stale,
            Self::Upstream { .. } => ErrorCode::Upstream,
            Self::WrongPassphrase { .. } => ErrorCode::WrongPassphrase,
        }
    }

    /// What the caller sees. The source stays in the log.
    pub(crate) fn into_failure(self, correlation: CorrelationId) -> Failure {
        let field = match &self {
            Self::Invalid { field, .. } => field.map(str::to_owned),
            Self::Misread { field, .. } => field.clone(),
            Self::Conflict { .. }
            | Self::Forbidden { .. }
            | Self::InUse { .. }
            | Self::Internal { .. }
            | Self::Locked
            | Self::NoRegistry
            | Self::NotFound { .. }
            | Self::Stale { .. }
            | Self::Unavailable { .. }
            | Self::Upstream { .. }
            | Self::WrongPassphrase { .. } => None,
        };
        Failure { code: self.code(), message: self.to_string(), correlation, field }
    }
}

impl From<RegistryError> for ControlError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Conflict { what } => {
                Self::conflict(format!("{what} exists already; choose another one"))
            }
            RegistryError::NotFound { what } => Self::NotFound { what },
            RegistryError::State { what } => {
                Self::conflict(format!("{what} was changed in the meantime; look at it again"))
            }
            broken @ (RegistryError::Closed
            | RegistryError::Damaged { .. }
            | RegistryError::Database { .. }
            | RegistryError::File { .. }
            | RegistryError::Seal(_)
            | RegistryError::Unwritten) => {
                let message = broken.trouble().map_or(
                    "the registry does not answer, so nothing was changed; check the disk that \
                     has it",
                    |trouble| health::refused(&trouble),
                );
                Self::unavailable(message, broken)
            }
        }
    }
}

impl From<OpenError> for ControlError {
    fn from(error: OpenError) -> Self {
        let message = error.to_string();
        // What the message says already is not said again as its cause.
        let source = match error {
            OpenError::Failed { source, .. } => Some(source),
            OpenError::Busy
            | OpenError::Damaged { .. }
            | OpenError::Exists
            | OpenError::Full
            | OpenError::Missing
            | OpenError::Newer { .. }
            | OpenError::NotARegistry
            | OpenError::ReadOnly => None,
        };
        Self::Unavailable { message, source }
    }
}

impl From<SecretError> for ControlError {
    fn from(error: SecretError) -> Self {
        let message = error.to_string();
        match error {
            SecretError::WrongPassphrase => Self::WrongPassphrase { message },
            SecretError::Misplaced { rule } => Self::invalid("vault", rule),
            SecretError::Absent(source) => Self::Unavailable { message, source },
            SecretError::Failed { source, .. } => {
                Self::Unavailable { message, source: Some(source) }
            }
            SecretError::Damaged { .. }
            | SecretError::Locked { .. }
            | SecretError::Missing { .. }
            | SecretError::Refused { .. }
            | SecretError::TimedOut { .. } => Self::Unavailable { message, source: None },
        }
    }
}

impl From<PortError> for ControlError {
    fn from(error: PortError) -> Self {
        Self::internal("go on", error)
    }
}

//! Why a command was not carried out, and how that is told.

use std::process::ExitCode;

use cs_control::{ControlError, ErrorCode, Failure};
use serde_json::{Value, json};

use crate::output::Output;

/// Why not.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The core refused, or could not.
    Refused(Failure),
    /// It never came that far.
    Here {
        /// What kind of problem it is, in the words of the core.
        code: &'static str,
        /// What happened, and what to do.
        message: String,
    },
}

/// What a command comes to.
pub(crate) type Done<T = ()> = Result<T, Problem>;

impl Problem {
    /// Something that is not as it has to be.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Here { code: "invalid", message: message.into() }
    }

    /// Something that is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::Here { code: "not_found", message: message.into() }
    }

    /// Whether something is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        match self {
            Self::Refused(failure) => failure.code == ErrorCode::NotFound,
            Self::Here { code, .. } => *code == "not_found",
        }
    }

    /// Tells it on standard error and gives the code to end with.
    pub(crate) fn tell(&self, output: Output) -> ExitCode {
        match (self, output) {
            (Self::Refused(failure), Output::Json) => {
                let failure = serde_json::to_value(failure).unwrap_or(Value::Null);
                eprintln!("{failure}");
            }
            (Self::Refused(failure), Output::Person) => {
                eprintln!("countersign: {}", failure.message);
                if let Some(field) = &failure.field {
                    eprintln!("  field        {field}");
                }
                eprintln!("  correlation  {}", failure.correlation);
            }
            (Self::Here { code, message }, Output::Json) => {
                let failure =
                    json!({ "code": code, "message": message, "correlation": null, "field": null });
                eprintln!("{failure}");
            }
            (Self::Here { message, .. }, Output::Person) => eprintln!("countersign: {message}"),
        }
        ExitCode::FAILURE
    }
}

impl From<anyhow::Error> for Problem {
    fn from(problem: anyhow::Error) -> Self {
        Self::Here { code: "unavailable", message: format!("{problem:#}") }
    }
}

impl From<ControlError> for Problem {
    fn from(problem: ControlError) -> Self {
        // What lies underneath is for a log.
        Self::Here { code: "unavailable", message: problem.to_string() }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

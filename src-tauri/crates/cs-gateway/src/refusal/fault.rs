//! What can go wrong with a server behind the gateway.

/// What went wrong with a server behind the gateway, as far as the agent may know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum UpstreamFault {
    /// It publishes another definition of the tool than the pinned one.
    Drift,
    /// It is not known whether the call was executed.
    Lost,
    /// Its answer was refused.
    Rejected,
    /// It did not answer in time.
    TimedOut,
    /// It could not be reached; the call was not executed.
    Unreachable,
}

impl UpstreamFault {
    /// A short code for the log.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Drift => "definition_drift",
            Self::Lost => "upstream_lost",
            Self::Rejected => "upstream_rejected",
            Self::TimedOut => "upstream_timed_out",
            Self::Unreachable => "upstream_unreachable",
        }
    }

    /// What the agent is told.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Drift => "It has changed since it was accepted, so it was not called",
            Self::Lost => "The server was lost before it answered; the call may have been executed",
            Self::Rejected => "The answer of the server was refused",
            Self::TimedOut => "The server did not answer in time; the call may have been executed",
            Self::Unreachable => "The server could not be reached; nothing was executed",
        }
    }
}

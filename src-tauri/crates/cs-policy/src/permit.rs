//! What a decision proves: a call that may go ahead, or one that needs a person.

use cs_model::op_token::{MOST_SECS, OperationClaims};
use cs_model::{
    AgentId, Digest, Effects, Kind, OperatorId, ServerId, SessionId, Signing, TaskId, TenantId,
    Timestamp, ToolId, ToolName,
};

use crate::decide::Act;
use crate::quorum::{Signature, Unsigned, suffice};
use crate::series::{self, Series, Unpaid};

/// The judged call, whatever the verdict.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Judged {
    pub(crate) tenant: TenantId,
    pub(crate) agent: AgentId,
    pub(crate) session: SessionId,
    pub(crate) task: TaskId,
    pub(crate) server: ServerId,
    pub(crate) tool: ToolId,
    pub(crate) kind: Kind,
    pub(crate) act: Act,
    pub(crate) tool_name: ToolName,
    pub(crate) fingerprint: Digest,
    pub(crate) arguments: Digest,
    pub(crate) policy_version: u64,
    pub(crate) signing: Signing,
    pub(crate) effects: Effects,
    pub(crate) responsible: Option<OperatorId>,
}

macro_rules! facts {
    () => {
        /// The tenant.
        pub const fn tenant(&self) -> TenantId {
            self.judged.tenant
        }

        /// The agent.
        pub const fn agent(&self) -> AgentId {
            self.judged.agent
        }

        /// The session.
        pub const fn session(&self) -> SessionId {
            self.judged.session
        }

        /// The task.
        pub const fn task(&self) -> TaskId {
            self.judged.task
        }

        /// The server that has the tool.
        pub const fn server(&self) -> ServerId {
            self.judged.server
        }

        /// The tool.
        pub const fn tool(&self) -> ToolId {
            self.judged.tool
        }

        /// The kind of the tool.
        pub const fn kind(&self) -> Kind {
            self.judged.kind
        }

        /// What is done with it.
        pub const fn act(&self) -> Act {
            self.judged.act
        }

        /// The tool's name at its server.
        pub const fn tool_name(&self) -> &ToolName {
            &self.judged.tool_name
        }

        /// The fingerprint of the tool's pinned definition.
        pub const fn fingerprint(&self) -> Digest {
            self.judged.fingerprint
        }

        /// The digest of the arguments that were judged.
        pub const fn arguments(&self) -> Digest {
            self.judged.arguments
        }

        /// The policy version that judged.
        pub const fn policy_version(&self) -> u64 {
            self.judged.policy_version
        }
    };
}

/// A call that may go ahead, and the proof of it.
///
/// Only [`decide`](crate::decide) and the releases of [`Held`] make one, it cannot be copied, and it
/// owns the call that was judged: whoever takes a `Permit` by value can forward that call, once,
/// and no other.
///
/// ```compile_fail,E0451
/// # let judged = unimplemented!();
/// let forged = cs_policy::Permit { judged };
/// ```
#[derive(Debug, Eq, PartialEq)]
#[must_use]
pub struct Permit {
    judged: Judged,
}

impl Permit {
    pub(crate) const fn new(judged: Judged) -> Self {
        Self { judged }
    }

    facts!();
}

/// A call that may go ahead once a person has signed for it.
#[derive(Debug, Eq, PartialEq)]
#[must_use]
pub struct Held {
    judged: Judged,
}

/// Why an operation token does not countersign a call. A token that does not match is not spent.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Mismatch {
    /// It was made out to another agent.
    Agent,
    /// It is for other arguments.
    Arguments,
    /// The tool's definition has changed since.
    Definition,
    /// Its time is up, or it claims more time than a token may have.
    Expired,
    /// It is for another gateway.
    Gateway,
    /// It says that it was signed in the future.
    NotYet,
    /// It is for another server.
    Server,
    /// It is for another session.
    Session,
    /// It is for another task.
    Task,
    /// It is for another tenant.
    Tenant,
    /// It is for another tool.
    Tool,
}

impl Mismatch {
    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Agent => "agent_mismatch",
            Self::Arguments => "args_mismatch",
            Self::Definition => "definition_mismatch",
            Self::Expired => "expired",
            Self::Gateway => "gateway_mismatch",
            Self::NotYet => "not_yet_valid",
            Self::Server => "server_mismatch",
            Self::Session => "session_mismatch",
            Self::Task => "task_mismatch",
            Self::Tenant => "tenant_mismatch",
            Self::Tool => "tool_mismatch",
        }
    }
}

/// How far ahead of the gateway's clock a token's `iat` may be, in seconds.
pub(crate) const SKEW_SECS: i64 = 5;

impl Held {
    pub(crate) const fn new(judged: Judged) -> Self {
        Self { judged }
    }

    facts!();

    /// Checks the claims of a token, whose signature somebody else has verified, against this
    /// very call.
    ///
    /// # Errors
    ///
    /// The first thing that does not match.
    pub fn check(
        &self,
        claims: &OperationClaims,
        gateway: &str,
        now: Timestamp,
    ) -> Result<(), Mismatch> {
        let call = &self.judged;
        let facts = [
            (claims.aud == gateway, Mismatch::Gateway),
            (claims.tenant == call.tenant, Mismatch::Tenant),
            (claims.sub == call.agent, Mismatch::Agent),
            (claims.sid == call.session, Mismatch::Session),
            (claims.task == call.task, Mismatch::Task),
            (claims.server == call.server, Mismatch::Server),
            (claims.tool == call.tool, Mismatch::Tool),
            (claims.tool_fpr == call.fingerprint, Mismatch::Definition),
            (claims.args == call.arguments, Mismatch::Arguments),
            (claims.iat <= now.secs().saturating_add(SKEW_SECS), Mismatch::NotYet),
            (claims.exp.saturating_sub(claims.iat) <= MOST_SECS, Mismatch::Expired),
            (now.secs() < claims.exp, Mismatch::Expired),
        ];
        match facts.into_iter().find(|(holds, _)| !holds) {
            Some((_, mismatch)) => Err(mismatch),
            None => Ok(()),
        }
    }

    /// What the tool asks of its approvers, under the policy that judged.
    pub const fn signing(&self) -> &Signing {
        &self.judged.signing
    }

    /// The operator who answers for the agent.
    pub const fn responsible(&self) -> Option<OperatorId> {
        self.judged.responsible
    }

    /// Turns the call into one that may go ahead, if every one of these signatures was made for it
    /// by an operator who may sign it, and they are as many as the tool asks for.
    ///
    /// # Errors
    ///
    /// The call, still held, and the first thing that is missing.
    pub fn release(
        self,
        signatures: &[Signature<'_>],
        gateway: &str,
        now: Timestamp,
    ) -> Result<Permit, (Box<Self>, Unsigned)> {
        let checked = signatures
            .iter()
            .try_for_each(|it| self.check(it.claims, gateway, now))
            .map_err(Unsigned::Mismatch)
            .and_then(|()| suffice(&self.judged.signing, self.judged.responsible, signatures));
        match checked {
            Ok(()) => Ok(Permit { judged: self.judged }),
            Err(unsigned) => Err((Box::new(self), unsigned)),
        }
    }

    /// Turns the call into one that may go ahead, if this series pays for it. One of its calls has
    /// to be spent on it yet.
    ///
    /// # Errors
    ///
    /// The call, still held, and the first thing that is missing.
    pub fn release_in_series(
        self,
        series: Series<'_>,
        gateway: &str,
        now: Timestamp,
    ) -> Result<Permit, (Box<Self>, Unpaid)> {
        match series::pays(&self.judged, series, gateway, now.secs()) {
            Ok(()) => Ok(Permit { judged: self.judged }),
            Err(unpaid) => Err((Box::new(self), unpaid)),
        }
    }
}

#[cfg(test)]
mod tests;

//! Whether a bounded series of approvals pays for a call.

use cs_model::series::SeriesClaims;
use cs_model::{Digest, Effects, Signatory, Signing};

use crate::permit::{Judged, Mismatch, SKEW_SECS};
use crate::quorum::{Ineligible, may_sign};

/// A series whose form and signature somebody else has verified, as it is held against one call.
#[derive(Clone, Copy, Debug)]
pub struct Series<'s> {
    /// What the operator signed.
    pub claims: &'s SeriesClaims,
    /// What the operator's signature counts for now.
    pub signatory: &'s Signatory,
    /// The digest of the schema that the arguments were found to satisfy, if they were. Holding
    /// arguments against a schema is somebody else's work.
    pub satisfied: Option<Digest>,
}

/// Why calls of a tool are each signed on their own.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum NoSeries {
    /// It takes several operators.
    Approvers,
    /// It can destroy something.
    Destroys,
    /// Whoever signs gives the passphrase each time.
    Presence,
    /// Whoever signs says why each time.
    Reason,
    /// It can send data out.
    SendsOut,
}

/// Why a series does not pay for a call. None of it is spent.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Unpaid {
    /// The arguments are not of those that it was signed for.
    Arguments,
    /// Its operator may not sign calls of the tool.
    Ineligible(Ineligible),
    /// It was made for another agent, session or tool, or for another time.
    Mismatch(Mismatch),
    /// Calls of the tool are each signed on their own.
    NoSeries(NoSeries),
}

impl NoSeries {
    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Approvers => "series_takes_several",
            Self::Destroys => "series_destroys",
            Self::Presence => "series_takes_presence",
            Self::Reason => "series_takes_reason",
            Self::SendsOut => "series_sends_out",
        }
    }
}

impl Unpaid {
    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Arguments => "series_arguments",
            Self::Ineligible(Ineligible::Barred) => "approver_responsible",
            Self::Ineligible(Ineligible::Group) => "approver_not_in_group",
            Self::Ineligible(Ineligible::Role) => "approver_role",
            Self::Mismatch(mismatch) => mismatch.code(),
            Self::NoSeries(why) => why.code(),
        }
    }

    /// Whether it would not pay for any other call either.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Arguments | Self::Mismatch(Mismatch::NotYet) => false,
            Self::Ineligible(_) | Self::Mismatch(_) | Self::NoSeries(_) => true,
        }
    }
}

/// Whether several calls of a tool with these marks and this signing rule can be signed at once.
///
/// # Errors
///
/// Why each has to be signed on its own.
pub const fn may_run_in_series(effects: Effects, rule: &Signing) -> Result<(), NoSeries> {
    if effects.sends_out {
        return Err(NoSeries::SendsOut);
    }
    if effects.destroys {
        return Err(NoSeries::Destroys);
    }
    if rule.approvers() > 1 {
        return Err(NoSeries::Approvers);
    }
    if rule.presence {
        return Err(NoSeries::Presence);
    }
    if rule.reason {
        return Err(NoSeries::Reason);
    }
    Ok(())
}

/// Whether a series pays for a call under the policy that judged it. The arguments come last: what
/// is wrong besides them is wrong for every call.
pub(crate) fn pays(
    call: &Judged,
    series: Series<'_>,
    gateway: &str,
    now_secs: i64,
) -> Result<(), Unpaid> {
    let claims = series.claims;
    let facts = [
        (claims.aud == gateway, Mismatch::Gateway),
        (claims.tenant == call.tenant, Mismatch::Tenant),
        (claims.sub == call.agent, Mismatch::Agent),
        (claims.sid == call.session, Mismatch::Session),
        (claims.task == call.task, Mismatch::Task),
        (claims.server == call.server, Mismatch::Server),
        (claims.tool == call.tool, Mismatch::Tool),
        (claims.tool_fpr == call.fingerprint, Mismatch::Definition),
        (claims.is_bounded(), Mismatch::Expired),
        (now_secs < claims.exp, Mismatch::Expired),
        (claims.iat <= now_secs.saturating_add(SKEW_SECS), Mismatch::NotYet),
    ];
    if let Some((_, mismatch)) = facts.into_iter().find(|(holds, _)| !holds) {
        return Err(Unpaid::Mismatch(mismatch));
    }
    may_run_in_series(call.effects, &call.signing).map_err(Unpaid::NoSeries)?;
    may_sign(&call.signing, call.responsible, claims.iss, series.signatory)
        .map_err(Unpaid::Ineligible)?;
    if series.satisfied == Some(claims.schema) { Ok(()) } else { Err(Unpaid::Arguments) }
}

#[cfg(test)]
mod tests;

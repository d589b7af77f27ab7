//! Whether the signatures over a call are those that its tool asks for.

use std::collections::BTreeSet;

use cs_model::op_token::OperationClaims;
use cs_model::{OperatorId, Signatory, Signing};

use crate::permit::Mismatch;

/// An operation token whose form and signature somebody else has verified, with what its operator
/// may sign now.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'s> {
    /// What the operator signed.
    pub claims: &'s OperationClaims,
    /// What the operator's signature counts for now.
    pub signatory: &'s Signatory,
}

/// Why an operator may not sign a call.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Ineligible {
    /// The operator answers for the agent, and the tool bars whoever does.
    Barred,
    /// The operator is not in the group that the tool asks for.
    Group,
    /// The operator's role signs nothing.
    Role,
}

/// Why signatures do not countersign a call. None of them is spent.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Unsigned {
    /// One is meant to count alone, and its operator is no owner.
    Glass,
    /// One is of an operator who may not sign this call.
    Ineligible(Ineligible),
    /// One was made for another call, or for another time.
    Mismatch(Mismatch),
    /// One was made without the passphrase, which the tool asks for each time.
    Presence,
    /// One was made without a reason.
    Reason,
    /// They are fewer than the tool asks for.
    TooFew,
    /// Two are of the same operator, or have the same id.
    Twice,
}

impl Unsigned {
    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Glass => "break_glass_not_owner",
            Self::Ineligible(Ineligible::Barred) => "approver_responsible",
            Self::Ineligible(Ineligible::Group) => "approver_not_in_group",
            Self::Ineligible(Ineligible::Role) => "approver_role",
            Self::Mismatch(mismatch) => mismatch.code(),
            Self::Presence => "presence_missing",
            Self::Reason => "reason_missing",
            Self::TooFew => "too_few_signatures",
            Self::Twice => "signed_twice",
        }
    }
}

/// Whether an operator may sign calls of a tool. Membership of the group is looked at last: it is
/// all that an owner who signs alone can do without.
///
/// # Errors
///
/// Why the operator may not.
pub fn may_sign(
    rule: &Signing,
    responsible: Option<OperatorId>,
    operator: OperatorId,
    signatory: &Signatory,
) -> Result<(), Ineligible> {
    if !signatory.may_sign() {
        return Err(Ineligible::Role);
    }
    if rule.bar_responsible && responsible == Some(operator) {
        return Err(Ineligible::Barred);
    }
    match &rule.group {
        Some(group) if !signatory.groups.contains(group) => Err(Ineligible::Group),
        Some(_) | None => Ok(()),
    }
}

/// Whether these signatures, which were made for the call, are all that its tool asks for: each by
/// another operator who may sign it now, each with what the tool wants of it. An owner who breaks
/// the glass counts for as many as it takes and for the group, and for nothing else.
pub(crate) fn suffice(
    rule: &Signing,
    responsible: Option<OperatorId>,
    signatures: &[Signature<'_>],
) -> Result<(), Unsigned> {
    let (mut operators, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let mut alone = false;
    for Signature { claims, signatory } in signatures {
        if !operators.insert(claims.iss) || !ids.insert(claims.jti) {
            return Err(Unsigned::Twice);
        }
        if claims.brk && !signatory.may_break_glass() {
            return Err(Unsigned::Glass);
        }
        match may_sign(rule, responsible, claims.iss, signatory) {
            Err(Ineligible::Group) if claims.brk => {}
            eligible => eligible.map_err(Unsigned::Ineligible)?,
        }
        if (rule.presence || claims.brk) && !claims.prs {
            return Err(Unsigned::Presence);
        }
        if (rule.reason || claims.brk) && claims.rsn.is_none() {
            return Err(Unsigned::Reason);
        }
        alone |= claims.brk;
    }
    if alone || operators.len() >= usize::from(rule.approvers()) {
        Ok(())
    } else {
        Err(Unsigned::TooFew)
    }
}

#[cfg(test)]
mod tests;

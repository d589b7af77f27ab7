//! Calls that nothing pays for: what is on record of that, and what their client hears.

use cs_model::event::EventKind;
use cs_model::op_token;
use cs_model::{ApprovalId, Digest, TenantId};
use cs_policy::Deny;

use super::{taken_back, told};
use crate::gate::Gate;
use crate::ports::{PortError, Ruling};
use crate::refusal::Refusal;
use crate::tool::Asked;
use crate::trail::{Trail, neutral};

/// What an agent is told of a call that was allowed when it began to wait.
pub(super) fn no_more(asked: &Asked, deny: Deny) -> Refusal {
    if deny == Deny::ConditionUnmet { Refusal::Unmet } else { asked.wanted().not_listed() }
}

/// Why tokens that were right could not be spent, as a short code.
pub(super) async fn why_refused(
    gate: &Gate,
    tenant: TenantId,
    approval: Option<ApprovalId>,
) -> Result<&'static str, PortError> {
    let Some(approval) = approval else { return Ok("spent") };
    Ok(match gate.ports.desk.ruling(tenant, approval).await? {
        Ruling::Executed | Ruling::Unknown => "spent",
        Ruling::Denied { .. } => "call_denied",
        Ruling::Withdrawn => "taken_back",
        Ruling::Expired | Ruling::Pending | Ruling::Approved { .. } => "approval_over",
    })
}

/// Puts on record why a token does not pay for a call, and tells the client that it does not.
pub(super) async fn unpaid(
    gate: &Gate,
    (asked, digest): (&Asked, Digest),
    approval: Option<ApprovalId>,
    reason: &str,
    trail: &mut Trail,
) -> Result<String, Refusal> {
    if approval.is_none() && !op_token::HONEST.contains(&reason) {
        asked.live.strayed();
    }
    let mut event = trail.event(EventKind::TokenRefused, gate.now());
    event.tool_name = Some(neutral(&asked.wanted().marked()));
    event.reason = Some(reason.to_owned());
    event.approval = approval;
    event.policy_version = Some(gate.world().policy.version());
    trail.note(event);
    trail.settle(&gate.ports).await?;
    if let Some(approval) = approval.filter(|_| reason != "spent") {
        // It pays for nothing any more, and would stand in the way of whoever asks anew.
        let (live, about) = (&asked.live, (asked.wanted(), digest));
        taken_back(gate, live, approval, about, "not_payable", trail).await?;
    }
    let text = match (approval, reason) {
        (Some(_), "spent") => told::EXECUTED,
        (Some(_), _) => told::LAPSED,
        (None, _) => told::TOKEN,
    };
    told::result(asked, text, approval, trail.correlation)
}

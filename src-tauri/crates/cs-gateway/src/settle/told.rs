//! What an agent is told of a call that was not made because nobody signed for it.

use cs_model::{ApprovalId, CorrelationId, Kind, text};
use serde_json::json;

use crate::refusal::Refusal;
use crate::tool::Asked;
use crate::wire::Era;

/// The most characters of an operator's reason.
const MOST_REASON: usize = 500;

pub(super) const EXECUTED: &str =
    "This call was already executed. A new call needs a new approval.";
pub(super) const NOT_KEPT: &str = "This call was executed; what came of it is not kept any more.";
pub(super) const LAPSED: &str =
    "The approval does not stand any more, so the call was not executed. Call again to ask anew.";
pub(super) const TOKEN: &str =
    "The operation token was not accepted for this call, so it was not executed.";
pub(super) const EXPIRED: &str =
    "Nobody decided in time, so the call was not executed. Call again to ask anew.";
pub(super) const WITHDRAWN: &str = "The call was taken back and was not executed.";
pub(super) const UNKNOWN: &str = "This call was approved and begun, but its outcome is not known. An operator has to look at it.";
pub(super) const CROWDED: &str = "Too many calls of this session wait for a person already, so \
    this one was not put before one. Wait until some of them are decided.";
pub(super) const AGENT_CROWDED: &str = "As many calls of this agent wait for a person as may, so \
    this one was not put before one. Wait until some of them are decided.";

/// The text for a call that somebody denied.
pub(super) fn denied(reason: &str) -> String {
    let reason = text::neutralise(reason, MOST_REASON);
    format!("An operator denied this call: {reason}")
}

/// The text for a call that is still undecided when the client cannot wait any longer.
pub(super) fn pending(approval: ApprovalId) -> String {
    format!(
        "This call needs the approval of a person. Request {approval} is waiting. Call again with \
         identical arguments once it is approved; it will be executed once."
    )
}

/// Says that the call was not made: in a tool's result, for whoever reads those. Nothing else has
/// results that say so; there it is an error.
pub(super) fn result(
    asked: &Asked,
    text: &str,
    approval: Option<ApprovalId>,
    correlation: CorrelationId,
) -> Result<String, Refusal> {
    if asked.call.kind != Kind::Tool {
        return Err(Refusal::Unsigned { text: text.to_owned(), approval });
    }
    let mut meta = json!({ "dev.countersign/correlation": correlation });
    if let (Some(approval), Some(meta)) = (approval, meta.as_object_mut()) {
        meta.insert("dev.countersign/approval".to_owned(), approval.to_string().into());
    }
    let mut result = json!({
        "content": [{ "type": "text", "text": text }],
        "isError": true,
        "_meta": meta,
    });
    if let (Era::Modern, Some(result)) = (asked.era, result.as_object_mut()) {
        result.insert("resultType".to_owned(), "complete".into());
    }
    Ok(result.to_string())
}

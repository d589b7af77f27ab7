//! What a client asks about errands: the methods of the extension `io.modelcontextprotocol/tasks`.

use serde_json::value::RawValue;

use super::ask::{MOST_STATE, Meta};
use super::{Flaw, Members};
use crate::refusal::Refusal;

/// The most errands that a client may hear of on one stream.
const MOST: usize = 64;

/// What a client wants of an errand.
#[derive(Debug)]
pub(crate) struct Wish {
    /// By what it knows the errand.
    pub(crate) id: String,
    pub(crate) what: What,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum What {
    /// To give it up.
    Cancel,
    /// To say where it stands.
    Get,
    /// To take these answers: an object.
    Update(Box<RawValue>),
}

/// Reads what a client wants of an errand, if the method is about one.
pub(super) fn read(method: &str, params: Option<&Members<'_>>) -> Result<Option<Wish>, Refusal> {
    let flaw = |what| Refusal::Message(Flaw::Params(what));
    let known: &[&str] = match method {
        "tasks/cancel" | "tasks/get" => &["_meta", "taskId"],
        "tasks/update" => &["_meta", "inputResponses", "taskId"],
        _ => return Ok(None),
    };
    let params = params.filter(|params| params.are_all_in(known));
    let params = params.ok_or_else(|| flaw("The params have a member that is not known here"))?;
    let id = params.text("taskId").ok_or_else(|| flaw("The method needs a taskId, a string"))?;
    if id.len() > MOST_STATE {
        return Err(Refusal::ErrandUnknown);
    }
    let what = match method {
        "tasks/cancel" => What::Cancel,
        "tasks/get" => What::Get,
        _ => {
            let responses = params.get("inputResponses").filter(|raw| raw.get().starts_with('{'));
            let needs = "tasks/update needs inputResponses, an object";
            What::Update(responses.ok_or_else(|| flaw(needs))?.to_owned())
        }
    };
    Ok(Some(Wish { id, what }))
}

/// The errands of which a client wants to hear on a stream.
pub(super) fn followed(wishes: &Members<'_>, meta: &Meta) -> Result<Vec<String>, Refusal> {
    let Some(raw) = wishes.get("taskIds") else { return Ok(Vec::new()) };
    let flaw = Refusal::Message(Flaw::Params("The taskIds must be up to 64 strings"));
    let all: Vec<String> = serde_json::from_str(raw.get()).unwrap_or_default();
    let plain = raw.get().starts_with('[') && all.iter().all(|id| id.len() <= MOST_STATE);
    let whole = !all.is_empty() || raw.get().trim_matches(['[', ']', ' ']).is_empty();
    if !plain || !whole || all.len() > MOST {
        return Err(flaw);
    }
    if meta.errands { Ok(all) } else { Err(Refusal::Undeclared) }
}

//! What a client of the older era answers when it was asked something.

use serde_json::value::RawValue;

use super::{Envelope, Flaw, Id, LIMITS, Members};
use cs_model::json;

/// One message of a client.
#[derive(Debug)]
pub(crate) enum Message<'b> {
    /// A request, or something that wants no answer.
    Asks(Envelope<'b>),
    /// An answer to what the gateway asked, under the id that the gateway gave.
    Answers(String, Reaction),
}

/// What a client answers.
#[derive(Debug)]
pub(crate) enum Reaction {
    /// It does not.
    Error(i64),
    /// With this.
    Result(Box<RawValue>),
}

impl<'b> Message<'b> {
    /// Reads a message.
    pub(crate) fn read(body: &'b [u8]) -> Result<Self, Flaw> {
        let text = std::str::from_utf8(body).map_err(|_| Flaw::Text)?;
        json::check(text, LIMITS).map_err(Flaw::Json)?;
        let members = Members::read(text).ok_or(Flaw::Batch)?;
        if members.text("jsonrpc") != Some("2.0".to_owned()) {
            return Err(Flaw::Version);
        }
        if members.get("method").is_none() && members.has_any(&["result", "error"]) {
            return reaction(&members).ok_or(Flaw::Response);
        }
        Envelope::read(&members).map(Self::Asks)
    }
}

/// Reads an answer: an id of ours, which are strings, and exactly one of a result and an error.
fn reaction<'b>(members: &Members<'_>) -> Option<Message<'b>> {
    let id = members.get("id").and_then(|raw| Id::read(raw.get()))?;
    let Id::Text(id) = id else { return None };
    let reaction = match (members.get("result"), members.get("error")) {
        (Some(result), None) if result.get().starts_with('{') => {
            Reaction::Result(result.to_owned())
        }
        (None, Some(error)) => {
            let error = Members::read(error.get())?;
            let known = error.are_all_in(&["code", "message", "data"]);
            error.text("message").filter(|_| known)?;
            Reaction::Error(error.get("code")?.get().parse().ok()?)
        }
        _ => return None,
    };
    let known = members.are_all_in(&["jsonrpc", "id", "result", "error"]);
    known.then_some(Message::Answers(id, reaction))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Message<'_>, Flaw> {
        Message::read(text.as_bytes())
    }

    #[test]
    fn p10_an_answer_is_a_result_or_an_error_and_nothing_else() {
        let result = r#"{"jsonrpc":"2.0","id":"ask-1","result":{"action":"accept"}}"#;
        assert!(
            matches!(read(result), Ok(Message::Answers(id, Reaction::Result(_))) if id == "ask-1")
        );
        let error = r#"{"jsonrpc":"2.0","id":"ask-1","error":{"code":-1,"message":"no"}}"#;
        assert!(matches!(read(error), Ok(Message::Answers(_, Reaction::Error(-1)))));
        for wrong in [
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":"a","result":[]}"#,
            r#"{"jsonrpc":"2.0","id":"a","result":{},"error":{"code":1,"message":""}}"#,
            r#"{"jsonrpc":"2.0","id":"a","result":{},"params":{}}"#,
            r#"{"jsonrpc":"2.0","id":"a","error":{"code":1}}"#,
            r#"{"jsonrpc":"2.0","id":"a","error":{"code":1,"message":"","more":1}}"#,
        ] {
            assert!(matches!(read(wrong), Err(Flaw::Response)), "{wrong}");
        }
    }
}

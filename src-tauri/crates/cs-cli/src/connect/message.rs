//! What the bridge has to know of a message: which era it speaks, what it calls, whether it is
//! answered. The message itself is passed on byte for byte; the gateway judges it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::Deserialize;
use serde_json::Value;

/// The member of `_meta` by which a request of the stateless era names its revision.
const REVISION: &str = "io.modelcontextprotocol/protocolVersion";

/// A message of the client, looked at.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// The id under which it is answered; a notification or a response has none.
    pub(super) id: Option<Value>,
    /// What it asks for; a response asks for nothing.
    pub(super) method: Option<String>,
    /// The revision that it names itself, when it is of the stateless era.
    pub(super) revision: Option<String>,
    /// What it names: a tool, a prompt or a resource.
    pub(super) name: Option<String>,
    /// The request that it cancels.
    pub(super) cancels: Option<Value>,
    /// What a call is made with.
    pub(super) arguments: Option<Value>,
    /// What it says about itself, when it is of the stateless era.
    pub(super) meta: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    id: Option<Value>,
    method: Option<String>,
    params: Option<Value>,
}

impl Message {
    /// Looks at a message. One that cannot be read is passed on all the same, so that the
    /// gateway refuses it and has it on record.
    pub(super) fn look(text: &[u8]) -> Self {
        let Ok(Envelope { id, method, params }) = serde_json::from_slice(text) else {
            return Self::default();
        };
        let params = params.unwrap_or(Value::Null);
        let member = |name: &str| params.get(name).and_then(Value::as_str).map(str::to_owned);
        let revision = params.get("_meta").and_then(|meta| meta.get(REVISION));
        let name = match method.as_deref() {
            Some("tools/call" | "prompts/get") => member("name"),
            Some("resources/read") => member("uri"),
            _ => None,
        };
        let cancels = match method.as_deref() {
            Some("notifications/cancelled") => params.get("requestId").cloned(),
            _ => None,
        };
        let revision = revision.and_then(Value::as_str).map(str::to_owned);
        let arguments = match method.as_deref() {
            Some("tools/call") => params.get("arguments").cloned(),
            _ => None,
        };
        Self {
            // A response has an id too, and is not answered.
            id: id.filter(|_| method.is_some()),
            meta: revision.as_ref().and_then(|_| params.get("_meta").cloned()),
            revision,
            method,
            name,
            cancels,
            arguments,
        }
    }

    /// Whether it asks for something by this name.
    pub(super) fn asks_for(&self, method: &str) -> bool {
        self.method.as_deref() == Some(method)
    }
}

/// A text as the value of a header: as it is, or encoded where a header could not carry it.
pub(super) fn header_value(text: &str) -> Option<HeaderValue> {
    let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte) || byte == b'\t');
    let bare = text.trim() == text && !(text.starts_with("=?base64?") && text.ends_with("?="));
    if printable && bare && !text.is_empty() {
        HeaderValue::from_str(text).ok()
    } else {
        HeaderValue::try_from(format!("=?base64?{}?=", STANDARD.encode(text))).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_the_stateless_era_says_so_itself() {
        let text = br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"read_file",
            "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        let message = Message::look(text);
        assert_eq!(message.id, Some(Value::from(7)));
        assert_eq!(message.revision.as_deref(), Some("2026-07-28"));
        assert_eq!(message.name.as_deref(), Some("read_file"));
    }

    #[test]
    fn a_response_is_not_something_that_is_answered() {
        let message = Message::look(br#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
        assert_eq!(message.id, None);
        assert_eq!(message.method, None);
    }

    #[test]
    fn a_name_that_a_header_cannot_carry_is_encoded() {
        let cases = [
            ("read_file", "read_file"),
            ("caf\u{e9}", "=?base64?Y2Fmw6k=?="),
            (" padded", "=?base64?IHBhZGRlZA==?="),
            ("a\nb", "=?base64?YQpi?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
            ("", "=?base64??="),
        ];
        for (text, expected) in cases {
            assert_eq!(header_value(text).unwrap(), expected, "{text:?}");
        }
    }
}

//! The protocol session of the older revisions: opened by `initialize`, named by a header, lost
//! when the gateway says 404.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::message::{Message, header_value};

pub(super) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const TASK: HeaderName = HeaderName::from_static("countersign-task");

/// What is known of the session.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    /// The name that the gateway gave it.
    pub(super) id: Option<HeaderValue>,
    /// The revision that was agreed on.
    revision: Option<HeaderValue>,
    /// The message that opened it, so that it can be opened again.
    pub(super) opening: Option<Bytes>,
}

impl Session {
    /// A session as it was just opened: by this message, with this name and this first answer.
    pub(super) fn opened(opening: Bytes, id: Option<HeaderValue>, answer: &[u8]) -> Option<Self> {
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let revision = answer.get("result")?.get("protocolVersion")?.as_str()?;
        Some(Self { id, revision: HeaderValue::from_str(revision).ok(), opening: Some(opening) })
    }
}

/// The headers of a request that carries a message.
pub(super) fn headers_of(message: &Message, session: &Session, task: Option<&str>) -> HeaderMap {
    let mut headers = common(task);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    if let Some(revision) = &message.revision {
        let named = [
            (REVISION, Some(revision)),
            (METHOD, message.method.as_ref()),
            (NAME, message.name.as_ref()),
        ];
        for (header, text) in named {
            if let Some(value) = text.and_then(|text| header_value(text)) {
                headers.insert(header, value);
            }
        }
    } else if !message.asks_for("initialize") {
        belonging(&mut headers, session);
    }
    headers
}

/// The headers of a request without a message: for the stream, and for the end of the session.
pub(super) fn bare_headers(session: &Session, task: Option<&str>) -> HeaderMap {
    let mut headers = common(task);
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    belonging(&mut headers, session);
    headers
}

fn common(task: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(value) = task.and_then(header_value) {
        headers.insert(TASK, value);
    }
    headers
}

fn belonging(headers: &mut HeaderMap, session: &Session) {
    if let Some(id) = &session.id {
        headers.insert(SESSION_ID, id.clone());
    }
    if let Some(revision) = &session.revision {
        headers.insert(REVISION, revision.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENED: &[u8] = br#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}"#;

    fn session() -> Session {
        let id = Some(HeaderValue::from_static("abc"));
        Session::opened(Bytes::from_static(b"{}"), id, OPENED).unwrap()
    }

    #[test]
    fn a_message_of_the_older_era_belongs_to_the_session() {
        let message = Message::look(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
        let headers = headers_of(&message, &session(), Some("triage"));
        assert_eq!(headers["mcp-session-id"], "abc");
        assert_eq!(headers["mcp-protocol-version"], "2025-11-25");
        assert_eq!(headers["countersign-task"], "triage");
        assert!(!headers.contains_key("mcp-method"));
    }

    #[test]
    fn a_message_of_the_stateless_era_says_what_it_is_and_names_no_session() {
        let message = Message::look(
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo",
            "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
        );
        let headers = headers_of(&message, &session(), None);
        assert_eq!(headers["mcp-protocol-version"], "2026-07-28");
        assert_eq!(headers["mcp-method"], "tools/call");
        assert_eq!(headers["mcp-name"], "echo");
        assert!(!headers.contains_key("mcp-session-id"));
    }
}

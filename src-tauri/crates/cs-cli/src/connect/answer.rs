//! What comes back for one request, told to the client as messages.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::events::Events;

/// The most bytes of an answer that is not a stream.
const MOST: usize = 16 * 1024 * 1024;

/// The protocol's code for what went wrong between client and server.
const INTERNAL: i64 = -32603;

/// Messages on their way to the client.
pub(super) type Out = mpsc::Sender<Bytes>;

/// Why a request has no answer of its own.
#[derive(Debug)]
pub(super) struct Problem(Value);

impl Problem {
    /// Something that went wrong on this side of the gateway.
    pub(super) fn here(what: &str) -> Self {
        Self(json!({ "code": INTERNAL, "message": what }))
    }

    /// What the gateway said instead of an answer.
    fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let said: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let mut error = match said.get("error") {
            Some(error) if error.get("code").is_some_and(Value::is_i64) => error.clone(),
            _ => {
                json!({ "code": INTERNAL, "message": format!("the gateway answered HTTP {status}") })
            }
        };
        let correlation = headers.get("countersign-correlation").and_then(|id| id.to_str().ok());
        if let (Some(members), Some(id)) = (error.as_object_mut(), correlation) {
            let data = members.entry("data").or_insert_with(|| json!({}));
            if let Some(data) = data.as_object_mut() {
                data.entry("correlation").or_insert_with(|| json!(id));
            }
        }
        Self(error)
    }

    /// The answer that the client gets: the request failed.
    pub(super) fn answer(&self, id: &Value) -> Bytes {
        let Self(error) = self;
        Bytes::from(json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string())
    }

    /// One line for a person.
    pub(super) fn sentence(&self) -> String {
        let text = |pointer: &str| self.0.pointer(pointer).and_then(Value::as_str);
        let message = text("/message").unwrap_or("the gateway refused");
        match text("/data/correlation") {
            Some(correlation) => format!("{message} ({correlation})"),
            None => message.to_owned(),
        }
    }
}

/// Passes the messages of an answer on, as they come. Gives the one that answers `id`.
pub(super) async fn deliver(
    response: Response<Incoming>,
    id: Option<&Value>,
    out: &Out,
) -> Result<Option<Bytes>, Problem> {
    let (head, body) = response.into_parts();
    let is_stream = content_type(&head.headers) == "text/event-stream";
    if head.status.is_success() && is_stream {
        return stream(body, id, out).await;
    }
    let body = Limited::new(body, MOST).collect().await;
    let body = body.map_err(|_| Problem::here("the gateway's answer broke off or is too long"))?;
    let body = body.to_bytes();
    if !head.status.is_success() {
        return Err(Problem::refused(head.status, &head.headers, &body));
    }
    match id {
        None => Ok(None),
        Some(_) if body.is_empty() => Err(Problem::here("the gateway's answer is empty")),
        Some(_) => {
            pass(out, body.clone()).await?;
            Ok(Some(body))
        }
    }
}

async fn stream(
    mut body: Incoming,
    id: Option<&Value>,
    out: &Out,
) -> Result<Option<Bytes>, Problem> {
    let (mut events, mut answer) = (Events::default(), None);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { break };
        let Ok(data) = frame.into_data() else { continue };
        let messages = events.read(&data);
        let messages =
            messages.map_err(|_| Problem::here("a message of the gateway is too long"))?;
        for message in messages {
            let message = Bytes::from(message);
            if id.is_some_and(|id| answers(&message, id)) {
                answer = Some(message.clone());
            }
            pass(out, message).await?;
        }
    }
    match (id, answer) {
        (Some(_), None) => Err(Problem::here(
            "the connection to the gateway ended before the answer; whether the call was made is in the audit log",
        )),
        (_, answer) => Ok(answer),
    }
}

fn answers(message: &[u8], id: &Value) -> bool {
    #[derive(serde::Deserialize)]
    struct Envelope<'m> {
        id: Option<Value>,
        #[serde(borrow)]
        method: Option<&'m serde_json::value::RawValue>,
    }
    serde_json::from_slice::<Envelope<'_>>(message)
        .is_ok_and(|envelope| envelope.method.is_none() && envelope.id.as_ref() == Some(id))
}

async fn pass(out: &Out, message: Bytes) -> Result<(), Problem> {
    out.send(message).await.map_err(|_| Problem::here("the client no longer reads"))
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_gateway_is_told_with_its_correlation_id() {
        let mut headers = HeaderMap::new();
        headers.insert("countersign-correlation", "cor_1".parse().unwrap());
        let body = br#"{"jsonrpc":"2.0","error":{"code":-32602,"message":"Tool 'x' is not in this session's allowlist"}}"#;
        let problem = Problem::refused(StatusCode::BAD_REQUEST, &headers, body);
        let answer: Value = serde_json::from_slice(&problem.answer(&json!("a"))).unwrap();
        assert_eq!(answer["id"], "a");
        assert_eq!(answer["error"]["code"], -32602);
        assert_eq!(answer["error"]["data"]["correlation"], "cor_1");
    }

    #[test]
    fn a_refusal_without_words_still_says_what_came_back() {
        let problem = Problem::refused(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>");
        assert_eq!(problem.sentence(), "the gateway answered HTTP 502 Bad Gateway");
    }

    #[test]
    fn only_the_answer_to_the_request_ends_it() {
        let id = json!(3);
        assert!(answers(br#"{"jsonrpc":"2.0","id":3,"result":{}}"#, &id));
        assert!(!answers(br#"{"jsonrpc":"2.0","id":3,"method":"elicitation/create"}"#, &id));
        assert!(!answers(br#"{"jsonrpc":"2.0","id":"3","result":{}}"#, &id));
    }
}

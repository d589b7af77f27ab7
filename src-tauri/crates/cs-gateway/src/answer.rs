//! Answers: one JSON object, or a stream of events.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cs_model::CorrelationId;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::edge::Answering;
use crate::refusal::Refusal;
use crate::wire::Id;

/// The header that finds the audit event of an answer.
pub(crate) const CORRELATION: HeaderName = HeaderName::from_static("countersign-correlation");

/// The older era's session id.
pub(crate) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// How many events may wait for a client that does not read.
const MOST_WAITING: usize = 64;

/// The body of an answer.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    source: Source,
    /// Keeps the connection from being taken for idle.
    answering: Option<Answering>,
}

#[derive(Debug)]
enum Source {
    Whole(Option<Bytes>),
    Stream(mpsc::Receiver<Bytes>),
}

/// What the gateway answers.
pub(crate) type Answer = Response<AnswerBody>;

impl AnswerBody {
    fn whole(text: impl Into<Bytes>) -> Self {
        let text = text.into();
        Self { source: Source::Whole((!text.is_empty()).then_some(text)), answering: None }
    }

    /// Ties the request's being answered to the life of the body.
    pub(crate) fn while_answering(mut self, answering: Answering) -> Self {
        self.answering = Some(answering);
        self
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.get_mut().source {
            Source::Whole(bytes) => Poll::Ready(bytes.take().map(|it| Ok(Frame::data(it)))),
            Source::Stream(events) => {
                events.poll_recv(cx).map(|event| event.map(|it| Ok(Frame::data(it))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Source::Stream(_) => SizeHint::default(),
        }
    }
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(AnswerBody::whole(Bytes::new()));
    *answer.status_mut() = status;
    answer
}

/// An answer that is one JSON object.
pub(crate) fn json(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(AnswerBody::whole(text));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// The answer to a request that was refused.
pub(crate) fn refused(why: &Refusal, id: Option<&Id>, correlation: CorrelationId) -> Answer {
    let mut answer = json(why.status(), why.body(id, correlation));
    why.headers(answer.headers_mut());
    answer
}

/// An answer that is a stream of events, and the way to send them.
pub(crate) fn stream() -> (Answer, Events) {
    let (sender, receiver) = mpsc::channel(MOST_WAITING);
    let body = AnswerBody { source: Source::Stream(receiver), answering: None };
    let mut answer = Response::new(body);
    stream_headers(answer.headers_mut());
    (answer, Events(sender))
}

/// An answer that is a stream with one message.
pub(crate) fn streamed(message: &str) -> Answer {
    let mut answer = Response::new(AnswerBody::whole(event(message)));
    stream_headers(answer.headers_mut());
    answer
}

fn stream_headers(headers: &mut HeaderMap) {
    let kind = HeaderValue::from_static("text/event-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    let buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(buffering, HeaderValue::from_static("no"));
}

/// The result of a request, as a message.
pub(crate) fn result(id: &Id, result: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}")
}

/// The client does not listen any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Gone;

/// Sends events to one client.
#[derive(Clone, Debug)]
pub(crate) struct Events(mpsc::Sender<Bytes>);

impl Events {
    /// Sends a message.
    pub(crate) async fn message(&self, json: &str) -> Result<(), Gone> {
        self.0.send(event(json)).await.map_err(|_| Gone)
    }

    /// Sends a message if there is room for it: what only informs does not wait for a client that
    /// does not read.
    pub(crate) fn inform(&self, json: &str) {
        let _ = self.0.try_send(event(json));
    }

    /// Sends what no client takes for a message, so that everybody on the way knows that the
    /// stream is alive.
    pub(crate) fn keep_alive(&self) {
        let _ = self.0.try_send(Bytes::from_static(b": keep-alive\n\n"));
    }

    /// Whether the client does not listen any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.is_closed()
    }

    /// Waits until the client does not listen any more.
    pub(crate) async fn gone(&self) {
        self.0.closed().await;
    }
}

/// A message as an event. Line ends between its tokens would end the event: each line of it is a
/// line of data, which is put together again by whoever reads it.
fn event(json: &str) -> Bytes {
    let mut text = "event: message\n".to_owned();
    for line in json.split(['\r', '\n']).filter(|line| !line.is_empty()) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    Bytes::from(text)
}

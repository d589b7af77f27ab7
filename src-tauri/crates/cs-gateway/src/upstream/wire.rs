//! What a server may say, read strictly, and what is said to it, built from checked parts.

mod reply;
mod said;

use std::collections::BTreeSet;

use cs_model::Kind;
use cs_model::json::{self, Limits};
use cs_model::text::neutralise;
use cs_policy::Act;
use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use self::reply::{check_result, reply};
pub(super) use self::said::{Has, Introduction, acknowledged, discovered, introduced};
use super::{Abilities, EXTENSION, ErrandCall, Level, Talk, ToolCall};
use crate::item::{method, plural};
use crate::wire::{Era, LATEST_LEGACY, MODERN, Members};

/// How much structure a message may have.
const LIMITS: Limits = Limits { depth: 128, members: 1_000_000, key: 4096 };

/// The most characters of an error's message that are handed on.
const MESSAGE: usize = 1000;

/// The most bytes of an error's data that are handed on.
const DATA: usize = 4096;

/// How a server broke the protocol. Holds nothing that the server wrote.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Violation(pub(super) &'static str);

/// A result is not one of what was asked for.
pub(super) const OTHER: Violation = Violation("the result does not have the shape of one");

/// The server asks for something that it was not told that the client can.
pub(super) const ASKS: Violation = Violation("the server asks for what it may not ask for");

/// One message from a server.
#[derive(Debug)]
pub(super) enum Incoming {
    /// The answer to one of our requests.
    Answer {
        /// The number of the request.
        id: u64,
        /// What it says.
        answer: Answer,
    },
    /// Something that needs no answer.
    Notification {
        /// Its method.
        method: String,
        /// Its parameters.
        params: Option<Box<RawValue>>,
    },
    /// Something that the server asks.
    Request {
        /// The id to answer with: a string or a number, as the server wrote it.
        id: Box<RawValue>,
        /// Its method.
        method: String,
        /// Its parameters.
        params: Option<Box<RawValue>>,
    },
}

/// An answer to a request.
#[derive(Debug)]
pub(super) enum Answer {
    /// An error.
    Error(Fault),
    /// A result: always an object.
    Result(Box<RawValue>),
}

/// The error object of JSON-RPC.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    code: i64,
    message: String,
    data: Option<Box<RawValue>>,
}

impl Fault {
    /// What is handed on of it: its code in the words of every era, its text bounded and neutral.
    pub(super) fn told(self) -> (i64, String, Option<Box<RawValue>>) {
        let Self { code, message, data } = self;
        // These codes steer clients of another protocol era, or send people to addresses.
        let code = if matches!(code, -32042 | -32022..=-32020) { -32603 } else { code };
        let data = data.filter(|data| data.get().len() <= DATA);
        (code, neutralise(&message, MESSAGE), data)
    }

    /// What the server said, in one neutral line.
    pub(super) fn describe(&self) -> String {
        format!("error {}: {}", self.code, neutralise(&self.message, MESSAGE))
    }
}

/// Every member that a message may have. A struct also reads from an array, so the callers look
/// for the brace first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    jsonrpc: String,
    id: Option<Box<RawValue>>,
    method: Option<String>,
    params: Option<Box<RawValue>>,
    result: Option<Box<RawValue>>,
    error: Option<Box<RawValue>>,
}

/// Reads one message.
pub(super) fn read(bytes: &[u8]) -> Result<Incoming, Violation> {
    let text = std::str::from_utf8(bytes).map_err(|_| Violation("the message is not UTF-8"))?;
    if !is_object(text) {
        return Err(Violation("the message is not a JSON object"));
    }
    json::check(text, LIMITS).map_err(|_| Violation("the message is not acceptable JSON"))?;
    let envelope: Envelope = serde_json::from_str(text)
        .map_err(|_| Violation("the message has other members than JSON-RPC has"))?;
    if envelope.jsonrpc != "2.0" {
        return Err(Violation("the message is not JSON-RPC 2.0"));
    }
    let Envelope { id, method, params, result, error, .. } = envelope;
    match (id, method, result, error) {
        (Some(id), Some(method), None, None) if is_id(&id) => {
            Ok(Incoming::Request { id, method, params })
        }
        (None, Some(method), None, None) => Ok(Incoming::Notification { method, params }),
        (Some(id), None, Some(result), None) if params.is_none() && is_object(result.get()) => {
            Ok(Incoming::Answer { id: number(&id)?, answer: Answer::Result(result) })
        }
        (Some(id), None, None, Some(error)) if params.is_none() && is_object(error.get()) => {
            let fault = serde_json::from_str(error.get())
                .map_err(|_| Violation("an error does not have the shape of one"))?;
            Ok(Incoming::Answer { id: number(&id)?, answer: Answer::Error(fault) })
        }
        _ => Err(Violation("the message is neither a request nor a notification nor an answer")),
    }
}

fn is_object(text: &str) -> bool {
    text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{')
}

/// Whether a raw value can be the id of a request: a string or an integer, and short.
fn is_id(raw: &RawValue) -> bool {
    raw.get().len() <= 256 && (raw.get().starts_with('"') || raw.get().parse::<i64>().is_ok())
}

/// Our ids are numbers; an answer that names anything else answers nobody.
fn number(raw: &RawValue) -> Result<u64, Violation> {
    raw.get().parse().map_err(|_| Violation("an answer names an id that was never used"))
}

/// What a server is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask<'a> {
    /// To make a call.
    Call(&'a ToolCall<'a>),
    /// To say what it is, in the newest revision.
    Discover,
    /// About an errand. Newest revision only.
    Errand(ErrandCall<'a>),
    /// To say what it speaks, in the older ones, when it may ask for these.
    Initialize(Abilities),
    /// To list what it has of one kind, from that cursor on.
    List(Kind, Option<&'a str>),
    /// To tell when its lists change, and these resources, for as long as somebody listens. Newest
    /// revision only.
    Listen(&'a BTreeSet<String>),
    /// To note down what is so loud. Older ones only.
    SetLevel(Level),
    /// To tell when a resource changes. Older ones only.
    Subscribe(&'a str),
    /// To tell of it no more. Older ones only.
    Unsubscribe(&'a str),
}

impl Ask<'_> {
    /// The method.
    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::Call(call) => method(call.kind, call.act),
            Self::Discover => "server/discover",
            Self::Errand(call) => call.method(),
            Self::Initialize(_) => "initialize",
            Self::List(Kind::Prompt, _) => "prompts/list",
            Self::List(Kind::Resource, _) => "resources/list",
            Self::List(Kind::Template, _) => "resources/templates/list",
            Self::List(Kind::Tool, _) => "tools/list",
            Self::Listen(_) => "subscriptions/listen",
            Self::SetLevel(_) => "logging/setLevel",
            Self::Subscribe(_) => "resources/subscribe",
            Self::Unsubscribe(_) => "resources/unsubscribe",
        }
    }

    /// In which era this is said over a connection of another.
    pub(super) const fn era(self, connection: Era) -> Era {
        match self {
            Self::Discover | Self::Errand(_) | Self::Listen(_) => Era::Modern,
            Self::Initialize(_) | Self::SetLevel(_) | Self::Subscribe(_) | Self::Unsubscribe(_) => {
                Era::Legacy
            }
            Self::Call(_) | Self::List(..) => connection,
        }
    }

    /// Whether the server may be told that nobody waits any more. The protocol forbids it for
    /// the first request.
    pub(super) const fn can_be_cancelled(self) -> bool {
        match self {
            Self::Call(_)
            | Self::Errand(_)
            | Self::List(..)
            | Self::Listen(_)
            | Self::SetLevel(_)
            | Self::Subscribe(_)
            | Self::Unsubscribe(_) => true,
            Self::Discover | Self::Initialize(_) => false,
        }
    }

    /// The request, as one line without its end. The id is the progress token, too.
    pub(super) fn request(self, id: u64, era: Era) -> Result<String, Violation> {
        let mut members = match self {
            Self::Call(call) => call_members(call)?,
            Self::Errand(call) => call.members(),
            Self::Discover | Self::List(_, None) => Vec::new(),
            Self::Initialize(abilities) => introduction(abilities),
            Self::SetLevel(level) => vec![format!(r#""level":"{}""#, level.as_str())],
            Self::List(_, Some(cursor)) => {
                vec![format!(r#""cursor":{}"#, serde_json::Value::from(cursor))]
            }
            Self::Listen(uris) => vec![listened_to(uris)],
            Self::Subscribe(uri) | Self::Unsubscribe(uri) => {
                vec![format!(r#""uri":{}"#, serde_json::Value::from(uri))]
            }
        };
        let mut meta = match era {
            Era::Legacy => Vec::new(),
            Era::Modern => claims(self),
        };
        if let Self::Call(call) = self {
            members.extend(brought(call));
            meta.extend(call_meta(call, id));
        }
        if !meta.is_empty() {
            members.push(format!(r#""_meta":{{{}}}"#, meta.join(",")));
        }
        let (method, params) = (self.method(), members.join(","));
        Ok(one_line(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}}}}}"#
        )))
    }
}

/// What is listened to.
fn listened_to(uris: &BTreeSet<String>) -> String {
    let mut wishes = serde_json::json!({
        "promptsListChanged": true,
        "resourcesListChanged": true,
        "toolsListChanged": true,
    });
    if let Some(wishes) = wishes.as_object_mut().filter(|_| !uris.is_empty()) {
        wishes.insert("resourceSubscriptions".to_owned(), uris.iter().cloned().collect());
    }
    format!(r#""notifications":{wishes}"#)
}

/// What follows the answer to `initialize`.
pub(super) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Tells a server that nobody waits for an answer any more.
pub(super) fn cancelled(id: u64) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id},"reason":"the caller no longer waits"}}}}"#
    )
}

/// The answer to a ping.
pub(super) fn pong(id: &RawValue) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
}

// INVARIANT: a message is one line. Line breaks in JSON stand between tokens only, where a blank
// means the same; one that went out as it is would let arguments smuggle in a second message.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// The parameters of `initialize`.
fn introduction(abilities: Abilities) -> Vec<String> {
    vec![
        format!(r#""protocolVersion":"{LATEST_LEGACY}""#),
        format!(r#""capabilities":{}"#, abilities.json()),
        format!(r#""clientInfo":{}"#, ourselves()),
    ]
}

/// What each request of the newest revision says of who sends it. Nothing is granted to a server
/// but what an administrator lets pass: otherwise it has no business with the agent's model, its
/// user or its files.
fn claims(ask: Ask<'_>) -> Vec<String> {
    let talk = match ask {
        Ask::Call(call) => Some(call.talk),
        Ask::Errand(call) => Some(call.talk),
        Ask::Discover
        | Ask::Initialize(_)
        | Ask::List(..)
        | Ask::Listen(_)
        | Ask::SetLevel(_)
        | Ask::Subscribe(_)
        | Ask::Unsubscribe(_) => None,
    };
    let abilities = talk.map_or_else(|| Abilities::default().json(), capabilities);
    let level = talk
        .and_then(|talk| talk.hears)
        .map(|level| format!(r#""io.modelcontextprotocol/logLevel":"{}""#, level.as_str()));
    let said = [
        format!(r#""io.modelcontextprotocol/protocolVersion":"{MODERN}""#),
        format!(r#""io.modelcontextprotocol/clientCapabilities":{abilities}"#),
        format!(r#""io.modelcontextprotocol/clientInfo":{}"#, ourselves()),
    ];
    said.into_iter().chain(level).collect()
}

/// What the server is told of who it serves.
fn capabilities(talk: Talk) -> String {
    let able = talk.abilities.json();
    if !talk.errands {
        return able;
    }
    let inner = able.strip_suffix('}').unwrap_or_default();
    let comma = if talk.abilities.is_empty() { "" } else { "," };
    format!(r#"{inner}{comma}"extensions":{{"{EXTENSION}":{{}}}}}}"#)
}

fn ourselves() -> String {
    format!(r#"{{"name":"countersign","version":"{}"}}"#, env!("CARGO_PKG_VERSION"))
}

/// The parameters of a call.
fn call_members(call: &ToolCall<'_>) -> Result<Vec<String>, Violation> {
    let name = serde_json::Value::from(call.tool.as_str());
    let arguments = match call.arguments {
        Some(arguments) => {
            let known = serde_json::from_str::<&RawValue>(arguments).is_ok();
            let read = Members::read(arguments).filter(|_| known);
            Some(read.ok_or(Violation("the arguments are not a JSON object"))?)
        }
        None => None,
    };
    let part = |key| {
        let raw = arguments.as_ref().and_then(|arguments| arguments.get(key));
        raw.map(|raw| format!(r#""{key}":{raw}"#))
    };
    match (call.act, call.kind) {
        (Act::Use, Kind::Prompt | Kind::Tool) => {
            let arguments = call.arguments.map(|it| format!(r#""arguments":{it}"#));
            Ok([format!(r#""name":{name}"#)].into_iter().chain(arguments).collect())
        }
        (Act::Use, Kind::Resource | Kind::Template) => {
            part("uri").map(|uri| vec![uri]).ok_or(Violation("the arguments have no URI"))
        }
        (Act::Complete, kind) => {
            let (of, key) = match kind {
                Kind::Prompt | Kind::Tool => ("ref/prompt", "name"),
                Kind::Resource | Kind::Template => ("ref/resource", "uri"),
            };
            let of = format!(r#""ref":{{"type":"{of}","{key}":{name}}}"#);
            let argument = part("argument").ok_or(Violation("nothing is to be completed"))?;
            Ok([of, argument].into_iter().chain(part("context")).collect())
        }
    }
}

/// What a request says in its header `Mcp-Name`.
pub(super) fn spoken_name(ask: Ask<'_>) -> Option<String> {
    let call = match ask {
        Ask::Call(call) => call,
        Ask::Errand(call) => return Some(call.id.to_owned()),
        Ask::Discover
        | Ask::Initialize(_)
        | Ask::List(..)
        | Ask::Listen(_)
        | Ask::SetLevel(_)
        | Ask::Subscribe(_)
        | Ask::Unsubscribe(_) => return None,
    };
    match (call.act, call.kind) {
        (Act::Complete, _) => None,
        (Act::Use, Kind::Prompt | Kind::Tool) => Some(call.tool.to_string()),
        (Act::Use, Kind::Resource | Kind::Template) => Members::read(call.arguments?)?.text("uri"),
    }
}

/// What the server asked for, once it did.
fn brought(call: &ToolCall<'_>) -> impl Iterator<Item = String> {
    let responses = call.inputs.and_then(|inputs| inputs.responses.as_ref());
    let responses = responses.map(|it| format!(r#""inputResponses":{it}"#));
    let state = call.inputs.and_then(|inputs| inputs.state.as_deref());
    let state = state.map(|it| format!(r#""requestState":{}"#, serde_json::Value::from(it)));
    responses.into_iter().chain(state)
}

/// What is said about a call besides.
fn call_meta(call: &ToolCall<'_>, token: u64) -> Vec<String> {
    let progress = call.wants_progress.then(|| format!(r#""progressToken":{token}"#));
    let trace = call.trace.filter(|trace| is_trace(trace));
    let trace = trace.map(|trace| format!(r#""traceparent":"{trace}""#));
    progress.into_iter().chain(trace).collect()
}

/// Whether a text is a W3C `traceparent`: digits and dashes only, of the one length there is.
fn is_trace(text: &str) -> bool {
    text.len() == 55 && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// One page of a listing.
#[derive(Debug)]
pub(super) struct Page {
    /// The definitions, as the server wrote them.
    pub(super) definitions: Vec<Box<RawValue>>,
    /// Where the next page begins, if there is one.
    pub(super) next_cursor: Option<String>,
}

/// Reads one page of a listing.
pub(super) fn page(kind: Kind, result: &RawValue) -> Result<Page, Violation> {
    const OTHER: Violation = Violation("a listing has another shape");
    let members = Members::read(result.get()).ok_or(OTHER)?;
    let definitions = members.get(plural(kind)).ok_or(OTHER)?;
    let definitions = serde_json::from_str(definitions.get()).map_err(|_| OTHER)?;
    let next_cursor = match members.get("nextCursor") {
        Some(raw) => serde_json::from_str(raw.get()).map_err(|_| OTHER)?,
        None => None,
    };
    Ok(Page { definitions, next_cursor })
}

/// The name in a tool's definition.
pub(super) fn tool_name(definition: &RawValue) -> Result<String, Violation> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    const OTHER: Violation = Violation("a tool's definition has another shape");
    if !is_object(definition.get()) {
        return Err(OTHER);
    }
    serde_json::from_str::<Named>(definition.get()).map(|named| named.name).map_err(|_| OTHER)
}

/// Reads a progress notification: the token that it names, and what is handed on of it.
pub(super) fn progress(params: Option<&RawValue>) -> Option<(u64, Box<RawValue>)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        progress_token: u64,
        progress: serde_json::Number,
        total: Option<serde_json::Number>,
        message: Option<String>,
    }
    let params = params.filter(|params| is_object(params.get()))?;
    let told: Params = serde_json::from_str(params.get()).ok()?;
    let mut handed = serde_json::Map::new();
    handed.insert("progress".to_owned(), told.progress.into());
    if let Some(total) = told.total {
        handed.insert("total".to_owned(), total.into());
    }
    if let Some(message) = told.message {
        handed.insert("message".to_owned(), neutralise(&message, MESSAGE).into());
    }
    Some((told.progress_token, serde_json::value::to_raw_value(&handed).ok()?))
}

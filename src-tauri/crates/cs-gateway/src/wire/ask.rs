//! What a client asks for: a closed table of methods, and nothing else.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::value::RawValue;

use super::era::{Era, classify, classify_notice};
use super::headers::{says, single};
use super::{Envelope, Flaw, Id, Members};
use crate::refusal::Refusal;

const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const META_TASK: &str = "dev.countersign/task";
const META_TOKEN: &str = "dev.countersign/operation-token";

/// The most bytes in the sealed state that a client brings back.
const MOST_STATE: usize = 8 * 1024;

/// A message, understood.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// How the client speaks.
    pub(crate) era: Era,
    /// What `_meta` says, as far as it means anything here.
    pub(crate) meta: Meta,
    /// What is asked.
    pub(crate) ask: Ask,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Ask {
    /// To call a tool.
    Call(Id, Call),
    /// What the gateway is and can do, in the newer era.
    Discover(Id),
    /// To open a session, in the older era.
    Initialize(Id, String),
    /// The tools.
    List(Id),
    /// To be told when the tools change, in the newer era. Whether that was among the wishes.
    Listen(Id, bool),
    /// Something that wants no answer.
    Notice(Notice),
    /// Whether anybody is there.
    Ping(Id),
}

/// Something that wants no answer.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The client does not want the answer to this request any more.
    Cancelled(Id),
    /// Something that has no consequence here.
    Other,
}

/// A tool call.
#[derive(Debug)]
pub(crate) struct Call {
    /// The name by which the client knows the tool.
    pub(crate) name: String,
    /// The arguments, as they were written.
    pub(crate) arguments: Option<Box<RawValue>>,
    /// What the gateway gave the client to bring back.
    pub(crate) state: Option<String>,
    /// The headers that repeat arguments. Nothing is decided on them.
    pub(crate) repeated: Vec<(HeaderName, HeaderValue)>,
}

/// What `_meta` says, as far as it means anything here. Nothing else of it goes on.
#[derive(Debug, Default)]
pub(crate) struct Meta {
    pub(super) version: Option<String>,
    pub(super) has_capabilities: bool,
    /// The token under which the client wants to hear of progress, as JSON.
    pub(crate) progress: Option<Id>,
    /// The task that it declares.
    pub(crate) task: Option<String>,
    /// An operation token that an operator handed over.
    pub(crate) token: Option<String>,
    /// The trace that the call belongs to (W3C `traceparent`).
    pub(crate) trace: Option<String>,
}

/// Understands a message.
pub(crate) fn read(envelope: &Envelope<'_>, headers: &HeaderMap) -> Result<Incoming, Refusal> {
    let params = envelope.params.as_ref();
    let meta = Meta::read(params)?;
    let method = envelope.method.as_str();
    let Some(id) = envelope.id.clone() else {
        if !method.starts_with("notifications/") {
            return Err(Refusal::Message(Flaw::Id));
        }
        let era = classify_notice(headers, &meta)?;
        let ask = Ask::Notice(notice(method, params));
        return Ok(Incoming { era, meta, ask });
    };
    let era = classify(headers, &meta)?;
    let ask = match (era, method) {
        (Era::Legacy, "initialize") => Ask::Initialize(id, requested_version(params)?),
        (Era::Legacy, "ping") => Ask::Ping(id),
        (Era::Modern, "server/discover") => plain(params, &[], Ask::Discover(id))?,
        (Era::Modern, "subscriptions/listen") => Ask::Listen(id, wants_tools(params)?),
        (Era::Legacy | Era::Modern, "tools/call") => Ask::Call(id, call(era, params, headers)?),
        (Era::Legacy | Era::Modern, "tools/list") => {
            if params.is_some_and(|params| params.has_any(&["cursor"])) {
                return Err(Refusal::Message(Flaw::Params("There is no further page")));
            }
            plain(params, &[], Ask::List(id))?
        }
        (Era::Legacy | Era::Modern, _) => return Err(Refusal::MethodUnknown { era }),
    };
    if era == Era::Modern {
        agree(headers, "mcp-method", Some(method))?;
        if let Ask::Call(_, call) = &ask {
            agree(headers, "mcp-name", Some(&call.name))?;
        }
    }
    Ok(Incoming { era, meta, ask })
}

/// Checks that a header says what the body says.
fn agree(headers: &HeaderMap, name: &str, body: Option<&str>) -> Result<(), Refusal> {
    match (single(headers, name), body) {
        (Ok(Some(value)), Some(body)) if says(value, body) => Ok(()),
        (Ok(_) | Err(_), _) => {
            Err(Refusal::HeaderMismatch("Mcp-Method and Mcp-Name must say what the body says"))
        }
    }
}

fn plain(params: Option<&Members<'_>>, known: &[&str], ask: Ask) -> Result<Ask, Refusal> {
    let fits = |params: &Members<'_>| {
        let mut all = vec!["_meta"];
        all.extend_from_slice(known);
        params.are_all_in(&all)
    };
    if params.is_none_or(fits) {
        Ok(ask)
    } else {
        Err(Refusal::Message(Flaw::Params("The params have a member that is not known here")))
    }
}

fn notice(method: &str, params: Option<&Members<'_>>) -> Notice {
    let cancelled = params.filter(|_| method == "notifications/cancelled");
    let id = cancelled.and_then(|params| params.get("requestId"));
    match id.and_then(|raw| Id::read(raw.get())) {
        Some(id) => Notice::Cancelled(id),
        None => Notice::Other,
    }
}

fn requested_version(params: Option<&Members<'_>>) -> Result<String, Refusal> {
    let flaw = Refusal::Message(Flaw::Params("initialize needs a protocolVersion, a string"));
    let version = params.and_then(|params| params.text("protocolVersion"));
    version.filter(|version| version.len() <= 64).ok_or(flaw)
}

fn wants_tools(params: Option<&Members<'_>>) -> Result<bool, Refusal> {
    let flaw = || Refusal::Message(Flaw::Params("subscriptions/listen needs notifications"));
    let params = params.filter(|p| p.are_all_in(&["_meta", "notifications"])).ok_or_else(flaw)?;
    let wishes = params.object("notifications").ok_or_else(flaw)?;
    Ok(wishes.get("toolsListChanged").is_some_and(|raw| raw.get() == "true"))
}

fn call(era: Era, params: Option<&Members<'_>>, headers: &HeaderMap) -> Result<Call, Refusal> {
    let flaw = |what| Refusal::Message(Flaw::Params(what));
    let params = params.ok_or_else(|| flaw("tools/call needs params"))?;
    let known: &[&str] = match era {
        Era::Legacy => &["_meta", "arguments", "name"],
        Era::Modern => &["_meta", "arguments", "inputResponses", "name", "requestState"],
    };
    if !params.are_all_in(known) {
        return Err(flaw("The params have a member that is not known here"));
    }
    let name = params.text("name").ok_or_else(|| flaw("The name of the tool must be a string"))?;
    let object = |key| match params.get(key) {
        Some(raw) if raw.get().starts_with('{') => Ok(Some(raw.to_owned())),
        Some(_) => Err(flaw("The arguments and the input responses must be objects")),
        None => Ok(None),
    };
    let arguments = object("arguments")?;
    object("inputResponses")?;
    let state = match params.get("requestState") {
        Some(_) => {
            let state = params.text("requestState").filter(|state| state.len() <= MOST_STATE);
            Some(state.ok_or(Refusal::State)?)
        }
        None => None,
    };
    let repeated = headers.iter().filter(|(name, _)| name.as_str().starts_with("mcp-param-"));
    let repeated = repeated.map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(Call { name, arguments, state, repeated })
}

impl Meta {
    fn read(params: Option<&Members<'_>>) -> Result<Self, Refusal> {
        let Some(raw) = params.and_then(|params| params.get("_meta")) else {
            return Ok(Self::default());
        };
        let flaw = |what| Refusal::Message(Flaw::Envelope(what));
        let meta = Members::read(raw.get()).ok_or_else(|| flaw("`_meta` must be an object"))?;
        let text = |key, what| match meta.get(key) {
            Some(_) => meta.text(key).map(Some).ok_or_else(|| flaw(what)),
            None => Ok(None),
        };
        let version = text(META_VERSION, "The protocol version in `_meta` must be a string")?;
        let task = text(META_TASK, "The task in `_meta` must be a string")?;
        let token = text(META_TOKEN, "The operation token in `_meta` must be a string")?;
        let has_capabilities = meta.object(META_CAPABILITIES).is_some();
        if meta.get(META_CLIENT).is_some() && meta.object(META_CLIENT).is_none() {
            return Err(flaw("The client info in `_meta` must be an object"));
        }
        let progress = match meta.get("progressToken") {
            Some(raw) => Some(
                Id::read(raw.get())
                    .ok_or_else(|| flaw("A progress token must be a short string or an integer"))?,
            ),
            None => None,
        };
        let trace = meta.text("traceparent").filter(|trace| is_traceparent(trace));
        Ok(Self { version, has_capabilities, progress, task, token, trace })
    }
}

/// Whether a text is a W3C `traceparent` of the only version there is.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, len| {
        part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    matches!(parts.as_slice(), ["00", trace, span, flags]
        if hex(trace, 32) && hex(span, 16) && hex(flags, 2))
}

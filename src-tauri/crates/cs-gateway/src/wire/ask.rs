//! What a client asks for: a closed table of methods, and nothing else.

use std::collections::BTreeSet;

use cs_model::{Kind, Signing};
use cs_policy::Act;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::value::RawValue;

use super::era::{Era, classify, classify_notice};
use super::errand::{self, Wish};
use super::headers::{says, single};
use super::{Envelope, Flaw, Id, Members};
use crate::item::Wanted;
use crate::refusal::Refusal;
use crate::stream::{TOLD, noun};
use crate::upstream::{Abilities, EXTENSION, Level};

const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const META_LEVEL: &str = "io.modelcontextprotocol/logLevel";
const META_TASK: &str = "dev.countersign/task";
const META_TOKEN: &str = "dev.countersign/operation-token";

/// The most bytes in the sealed state that a client brings back.
pub(super) const MOST_STATE: usize = 8 * 1024;

/// The most resources that one stream tells of.
const MOST_WATCHED: usize = 64;

/// Of what a client of the newer era wants to be told.
#[derive(Debug)]
pub(crate) struct Wishes {
    /// Of which kinds it may see something else.
    pub(crate) kinds: Vec<Kind>,
    /// What would be read by these calls.
    pub(crate) reads: Vec<Call>,
    /// Where these errands stand.
    pub(crate) errands: Vec<String>,
}

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
    /// To call a tool, get a prompt, read a resource, or complete an argument.
    Call(Id, Call),
    /// What the gateway is and can do, in the newer era.
    Discover(Id),
    /// Something about an errand, in the newer era.
    Errand(Id, Wish),
    /// To open a session, in the older era, with what the client can be asked for.
    Initialize(Id, String, Abilities),
    /// What there is of one kind.
    List(Id, Kind),
    /// To be told of changes, in the newer era.
    Listen(Id, Wishes),
    /// Something that wants no answer.
    Notice(Notice),
    /// Whether anybody is there.
    Ping(Id),
    /// To hear from now on what servers note down, if it is so loud. In the older era.
    SetLevel(Id, Level),
    /// To be told no more when what is at a URI changes. In the older era.
    Unwatch(Id, String),
    /// To be told when what would be read by this call changes. In the older era.
    Watch(Id, Call),
}

/// Something that wants no answer.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The client does not want the answer to this request any more.
    Cancelled(Id),
    /// Something that has no consequence here.
    Other,
}

/// A call.
#[derive(Debug)]
pub(crate) struct Call {
    /// What it is a call of.
    pub(crate) kind: Kind,
    /// What is done with it.
    pub(crate) act: Act,
    /// The name by which the client knows the tool, or the URI of what it wants to read.
    pub(crate) name: String,
    /// The arguments, as they were written. Of a read the URI, of a completion what it is about.
    pub(crate) arguments: Option<Box<RawValue>>,
    /// What the gateway gave the client to bring back.
    pub(crate) state: Option<String>,
    /// What the client was asked for: an object.
    pub(crate) responses: Option<Box<RawValue>>,
    /// The headers that repeat arguments. Nothing is decided on them.
    pub(crate) repeated: Vec<(HeaderName, HeaderValue)>,
}

impl Call {
    /// The read of what is at a URI.
    fn read_of(uri: String) -> Result<Self, Refusal> {
        let arguments = Some(members(&[("uri", &serde_json::Value::from(&*uri).to_string())])?);
        let (kind, act) = (Kind::Resource, Act::Use);
        let (state, responses, repeated) = (None, None, Vec::new());
        Ok(Self { kind, act, name: uri, arguments, state, responses, repeated })
    }

    /// What it asks for.
    pub(crate) fn wanted(&self, era: Era) -> Wanted<'_> {
        Wanted { era, kind: self.kind, act: self.act, name: &self.name }
    }
}

/// What `_meta` says, as far as it means anything here. Nothing else of it goes on.
#[derive(Debug, Default)]
pub(crate) struct Meta {
    pub(super) version: Option<String>,
    pub(super) has_capabilities: bool,
    /// What the client can be asked for, in the newer era.
    pub(crate) abilities: Abilities,
    /// Whether a call of the client may be answered with an errand, in the newer era.
    pub(crate) errands: bool,
    /// How loud what servers note down has to be for the client to hear it, in the newer era.
    pub(crate) level: Option<Level>,
    /// The token under which the client wants to hear of progress, as JSON.
    pub(crate) progress: Option<Id>,
    /// The task that it declares.
    pub(crate) task: Option<String>,
    /// The operation tokens that operators handed over, one of each.
    pub(crate) tokens: Option<Vec<String>>,
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
        (Era::Legacy, "initialize") => {
            Ask::Initialize(id, requested_version(params)?, said_abilities(params))
        }
        (Era::Legacy, "logging/setLevel") => Ask::SetLevel(id, requested_level(params)?),
        (Era::Legacy, "ping") => Ask::Ping(id),
        (Era::Modern, "server/discover") => plain(params, &[], Ask::Discover(id))?,
        (Era::Legacy, "resources/subscribe") => Ask::Watch(id, Call::read_of(uri(params)?)?),
        (Era::Legacy, "resources/unsubscribe") => Ask::Unwatch(id, uri(params)?),
        (Era::Modern, "subscriptions/listen") => Ask::Listen(id, wishes(params, &meta)?),
        (Era::Legacy | Era::Modern, _) => match listing(method) {
            Some(kind) => {
                if params.is_some_and(|params| params.has_any(&["cursor"])) {
                    return Err(Refusal::Message(Flaw::Params("There is no further page")));
                }
                plain(params, &[], Ask::List(id, kind))?
            }
            None => match (call(era, method, params, headers)?, era) {
                (Some(call), _) => Ask::Call(id, call),
                (None, Era::Modern) => match errand::read(method, params)? {
                    Some(wish) => Ask::Errand(id, wish),
                    None => return Err(Refusal::MethodUnknown { era }),
                },
                (None, Era::Legacy) => return Err(Refusal::MethodUnknown { era }),
            },
        },
    };
    if era == Era::Modern {
        agree(headers, "mcp-method", Some(method))?;
        if let Ask::Call(_, call) = &ask
            && call.act == Act::Use
        {
            agree(headers, "mcp-name", Some(&call.name))?;
        }
        if let Ask::Errand(_, wish) = &ask {
            agree(headers, "mcp-name", Some(&wish.id))?;
            if !meta.errands {
                return Err(Refusal::Undeclared);
            }
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

/// What a client says in `initialize` that it can be asked for.
fn said_abilities(params: Option<&Members<'_>>) -> Abilities {
    let capabilities = params.and_then(|params| params.object("capabilities"));
    capabilities.map(|said| Abilities::read(&said)).unwrap_or_default()
}

fn requested_level(params: Option<&Members<'_>>) -> Result<Level, Refusal> {
    let level =
        params.filter(|it| it.are_all_in(&["_meta", "level"])).and_then(|it| it.text("level"));
    let level = level.and_then(|level| Level::read(&level));
    level.ok_or(Refusal::Message(Flaw::Params("logging/setLevel needs a level of the protocol")))
}

/// What a client wants to be told of.
fn wishes(params: Option<&Members<'_>>, meta: &Meta) -> Result<Wishes, Refusal> {
    let flaw = || Refusal::Message(Flaw::Params("subscriptions/listen needs notifications"));
    let params = params.filter(|p| p.are_all_in(&["_meta", "notifications"])).ok_or_else(flaw)?;
    let wishes = params.object("notifications").ok_or_else(flaw)?;
    let is_wished = |kind: &Kind| {
        let key = format!("{}ListChanged", noun(*kind));
        wishes.get(&key).is_some_and(|raw| raw.get() == "true")
    };
    let kinds = TOLD.into_iter().filter(is_wished).collect();
    let uris: BTreeSet<String> = match wishes.get("resourceSubscriptions") {
        Some(raw) => serde_json::from_str(raw.get()).map_err(|_| {
            Refusal::Message(Flaw::Params("resourceSubscriptions must be a list of URIs"))
        })?,
        None => BTreeSet::new(),
    };
    if uris.len() > MOST_WATCHED {
        return Err(Refusal::Message(Flaw::Params("One stream tells of at most 64 resources")));
    }
    let reads = uris.into_iter().map(Call::read_of).collect::<Result<_, _>>()?;
    Ok(Wishes { kinds, reads, errands: errand::followed(&wishes, meta)? })
}

/// The URI that a subscription is for.
fn uri(params: Option<&Members<'_>>) -> Result<String, Refusal> {
    let params = params.filter(|params| params.are_all_in(&["_meta", "uri"]));
    let uri = params.and_then(|params| params.text("uri"));
    uri.ok_or(Refusal::Message(Flaw::Params("The params must be a URI, a string, and no more")))
}

/// What a method lists.
fn listing(method: &str) -> Option<Kind> {
    match method {
        "prompts/list" => Some(Kind::Prompt),
        "resources/list" => Some(Kind::Resource),
        "resources/templates/list" => Some(Kind::Template),
        "tools/list" => Some(Kind::Tool),
        _ => None,
    }
}

const UNKNOWN: &str = "The params have a member that is not known here";

/// Reads a call, if the method is one.
fn call(
    era: Era,
    method: &str,
    params: Option<&Members<'_>>,
    headers: &HeaderMap,
) -> Result<Option<Call>, Refusal> {
    let flaw = |what| Refusal::Message(Flaw::Params(what));
    let (kind, own): (_, &[&str]) = match method {
        "completion/complete" => return completion(params).map(Some),
        "prompts/get" => (Kind::Prompt, &["_meta", "arguments", "name"]),
        "resources/read" => (Kind::Resource, &["_meta", "uri"]),
        // Clients of the revision that had tasks of another kind say how they would like them. A
        // server that has none does not mind.
        "tools/call" => (Kind::Tool, &["_meta", "arguments", "name", "task"]),
        _ => return Ok(None),
    };
    let params = params.ok_or_else(|| flaw("The method needs params"))?;
    let rounds: &[&str] = match era {
        Era::Legacy => &[],
        Era::Modern => &["inputResponses", "requestState"],
    };
    let hints = params.get("task").is_none_or(|raw| raw.get().starts_with('{'));
    if !params.are_all_in(&[own, rounds].concat()) || !hints {
        return Err(flaw(UNKNOWN));
    }
    let object = |key| match params.get(key) {
        Some(raw) if raw.get().starts_with('{') => Ok(Some(raw.to_owned())),
        Some(_) => Err(flaw("The arguments and the input responses must be objects")),
        None => Ok(None),
    };
    let (name, arguments) = if kind == Kind::Resource {
        let uri = params.text("uri").ok_or_else(|| flaw("The URI must be a string"))?;
        let arguments = members(&[("uri", &serde_json::Value::from(&*uri).to_string())]);
        (uri, Some(arguments?))
    } else {
        let name = params.text("name").ok_or_else(|| flaw("The name must be a string"))?;
        (name, object("arguments")?)
    };
    let responses = object("inputResponses")?;
    let state = match params.get("requestState") {
        Some(_) => {
            let state = params.text("requestState").filter(|state| state.len() <= MOST_STATE);
            Some(state.ok_or(Refusal::State)?)
        }
        None => None,
    };
    let repeated = headers.iter().filter(|(name, _)| name.as_str().starts_with("mcp-param-"));
    let repeated = repeated.map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(Some(Call { kind, act: Act::Use, name, arguments, state, responses, repeated }))
}

/// Reads what is to be completed: one argument of a prompt or of a resource template.
fn completion(params: Option<&Members<'_>>) -> Result<Call, Refusal> {
    let flaw = |what| Refusal::Message(Flaw::Params(what));
    let params = params.ok_or_else(|| flaw("The method needs params"))?;
    if !params.are_all_in(&["_meta", "argument", "context", "ref"]) {
        return Err(flaw(UNKNOWN));
    }
    let part = |key, known: &[&str], what| {
        let part = params.object(key).filter(|it| it.are_all_in(known));
        part.ok_or_else(|| flaw(what))
    };
    let of = part("ref", &["name", "title", "type", "uri"], "The ref must name what there is")?;
    let (kind, key) = match of.text("type").as_deref() {
        Some("ref/prompt") => (Kind::Prompt, "name"),
        Some("ref/resource") => (Kind::Template, "uri"),
        Some(_) | None => return Err(flaw("The ref must be ref/prompt or ref/resource")),
    };
    let name = of.text(key).ok_or_else(|| flaw("The ref must name what there is"))?;
    // Without an expression it is no template but what is at a URI.
    let plain = kind == Kind::Template && !name.contains('{');
    let kind = if plain { Kind::Resource } else { kind };
    let shape = "The argument must have a name and a value, both strings";
    let argument = part("argument", &["name", "value"], shape)?;
    if argument.text("name").is_none() || argument.text("value").is_none() {
        return Err(flaw(shape));
    }
    let mut said = vec!["argument"];
    if params.get("context").is_some() {
        let context = part("context", &["arguments"], "The context has arguments, an object")?;
        if context.get("arguments").is_some() && context.object("arguments").is_none() {
            return Err(flaw("The context has arguments, an object"));
        }
        said.push("context");
    }
    let said = said.into_iter().filter_map(|key| Some((key, params.get(key)?.get())));
    let arguments = Some(members(&said.collect::<Vec<_>>())?);
    let (state, responses, repeated) = (None, None, Vec::new());
    Ok(Call { kind, act: Act::Complete, name, arguments, state, responses, repeated })
}

/// An object of members that are JSON.
fn members(all: &[(&str, &str)]) -> Result<Box<RawValue>, Refusal> {
    let all: Vec<_> = all.iter().map(|(key, raw)| format!("\"{key}\":{raw}")).collect();
    RawValue::from_string(format!("{{{}}}", all.join(",")))
        .map_err(|_| Refusal::Message(Flaw::Params("The params do not make an object")))
}

impl Meta {
    /// What a client says who can be asked for so much and asks how an errand fares.
    pub(crate) fn of_errand(abilities: Abilities) -> Self {
        Self { abilities, errands: true, ..Self::default() }
    }

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
        let tokens = match meta.get(META_TOKEN) {
            Some(raw) => Some(handed(raw.get()).ok_or_else(|| {
                flaw("The operation token in `_meta` must be a string, or 1 to 5 strings")
            })?),
            None => None,
        };
        let capabilities = meta.object(META_CAPABILITIES);
        let has_capabilities = capabilities.is_some();
        let extensions = capabilities.as_ref().and_then(|said| said.object("extensions"));
        let errands = extensions.is_some_and(|it| it.object(EXTENSION).is_some());
        let abilities = capabilities.map(|said| Abilities::read(&said)).unwrap_or_default();
        let level = text(META_LEVEL, "The log level in `_meta` must be a string")?;
        let level = match level {
            Some(level) => Some(
                Level::read(&level)
                    .ok_or_else(|| flaw("The log level in `_meta` must be one of the protocol"))?,
            ),
            None => None,
        };
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
        Ok(Self {
            version,
            has_capabilities,
            abilities,
            errands,
            level,
            progress,
            task,
            tokens,
            trace,
        })
    }
}

/// The operation tokens that were handed over: one, or those of several operators in an array.
fn handed(written: &str) -> Option<Vec<String>> {
    if let Ok(one) = serde_json::from_str::<String>(written) {
        return Some(vec![one]);
    }
    let several: Vec<String> = serde_json::from_str(written).ok()?;
    (1..=usize::from(Signing::MOST)).contains(&several.len()).then_some(several)
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

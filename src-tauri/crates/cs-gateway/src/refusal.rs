//! Any gate's no, and what the client sees of it.

mod fault;

use std::borrow::Cow;

use cs_model::{ApprovalId, CorrelationId, Kind, ToolName};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::value::RawValue;

use crate::authn::Challenge;
use crate::edge::Fault;
use crate::ports::PortError;
use crate::upstream::EXTENSION;
use crate::wire::{Era, Flaw, Id, MODERN};

pub(crate) use self::fault::UpstreamFault;

/// Why a request is not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The call was given up after it was made: its client left, or its session is over.
    Abandoned,
    /// The client does not take the kinds of answers that there are.
    Accept,
    /// The server behind the gateway answered with an error. The call was made.
    Answered {
        /// Its code.
        code: i64,
        /// Its message, bounded and neutral.
        message: String,
        /// What else it said.
        data: Option<Box<RawValue>>,
    },
    /// The arguments do not fit the tool: where, and why.
    Arguments(String),
    /// The body is larger than any message may be.
    BodySize,
    /// The body did not come in time, or broke off.
    BodyTime,
    /// The body is compressed.
    Coding,
    /// The body is not `application/json` in UTF-8.
    ContentType,
    /// The errand is not there: it never was, it is somebody else's, it has ended with its session,
    /// or what it does is not allowed any more.
    ErrandUnknown,
    /// Something else than `100-continue` is expected.
    Expect,
    /// The bytes of the request could be read in two ways.
    Framing(Fault),
    /// The arguments have a key or a signature of this gateway in them.
    GivesAway,
    /// Headers and body do not say the same.
    HeaderMismatch(&'static str),
    /// The `Host` is not this gateway's.
    Host,
    /// The client uses the id for another request that is not answered yet.
    IdInUse,
    /// The tool's server needs something of the client that it did not say it can, or that is not
    /// let through. In the newer era.
    Lacks {
        /// What: an object of capabilities.
        required: Box<RawValue>,
    },
    /// `MCP-Protocol-Version` names a revision that is not spoken here.
    LegacyVersion,
    /// The message is not one that may be said here.
    Message(Flaw),
    /// The HTTP method has no meaning here.
    Method,
    /// There is no such method in this era.
    MethodUnknown {
        /// The era.
        era: Era,
    },
    /// There is no credential that could be handed over to the caller.
    NoSuccessor {
        /// Why, in a short code.
        reason: &'static str,
    },
    /// The tool is not in the session's allowlist, or does not exist.
    NotListed {
        /// What it is, as the client has it.
        kind: Kind,
        /// The era.
        era: Era,
        /// What the client called it.
        name: String,
    },
    /// The arguments do not mean the same to every reader, so no person can sign for them.
    NotSignable,
    /// A person would have to sign for more than anybody reads.
    TooMuchToSign,
    /// A page of another origin sent it.
    Origin,
    /// There is nothing at this path.
    Path,
    /// The endpoint takes no query.
    Query,
    /// The access token lacks scopes.
    Scope {
        /// Which, and where to get them.
        challenge: Challenge,
    },
    /// The session is not there: it never was, it is somebody else's, or it has ended.
    SessionGone,
    /// The session is not named, or named twice.
    SessionUnnamed,
    /// What the client brought back is not what it was given for this call.
    State,
    /// The gateway stops.
    Stopping,
    /// So many calls were made lately that one more has to wait.
    TooOften {
        /// How long, in seconds.
        wait_secs: u64,
    },
    /// Too many from the same address failed to prove who they are.
    TurnedAway,
    /// The places where a task is declared do not agree, or the session has another one.
    TaskConflict,
    /// The caller may not declare the task, or there is none of that name.
    TaskRefused,
    /// No credential, or none that is accepted: one answer for every reason.
    Unauthenticated {
        /// What would be accepted, and where to get it.
        challenge: Challenge,
    },
    /// The arguments do not satisfy the condition under which the tool is granted.
    Unmet,
    /// The client did not say that it speaks the extension that the request belongs to.
    Undeclared,
    /// Nobody can say now whether the credential is good.
    Undecided,
    /// Nobody signed for something that has no result which could say so.
    Unsigned {
        /// What became of it.
        text: String,
        /// The request for the signature, where there is one.
        approval: Option<ApprovalId>,
    },
    /// Something could not be put on record, so it is not done.
    Unrecorded(PortError),
    /// The server behind the gateway could not be reached, or its answer was refused.
    Upstream(UpstreamFault),
    /// The revision that the message names is not spoken here.
    Version {
        /// That revision.
        requested: String,
    },
}

/// What the client sees.
struct Public {
    status: StatusCode,
    code: i64,
    message: Cow<'static, str>,
}

const INVALID: i64 = -32600;
const INTERNAL: i64 = -32603;

/// A code of our own, outside of what the protocol keeps for itself.
const UNSIGNED: i64 = -31_000;

impl Refusal {
    /// What the client sees. It never tells whether something exists that the caller may not use.
    fn public(&self) -> Public {
        let say = |status, code, message: &'static str| Public {
            status,
            code,
            message: Cow::Borrowed(message),
        };
        match self {
            Self::Abandoned => {
                say(StatusCode::OK, INTERNAL, "The call was given up; it may have been executed")
            }
            Self::Accept => say(
                StatusCode::NOT_ACCEPTABLE,
                INVALID,
                "Accept must list application/json and text/event-stream",
            ),
            Self::Answered { code, message, .. } => {
                Public { status: StatusCode::OK, code: *code, message: Cow::Owned(message.clone()) }
            }
            Self::Arguments(why) => {
                Public { status: StatusCode::OK, code: -32602, message: Cow::Owned(why.clone()) }
            }
            Self::BodySize => {
                say(StatusCode::PAYLOAD_TOO_LARGE, INVALID, "The message is larger than 4 MiB")
            }
            Self::BodyTime => {
                say(StatusCode::REQUEST_TIMEOUT, INVALID, "The message did not come in time")
            }
            Self::Coding => say(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                INVALID,
                "Compressed messages are not taken",
            ),
            Self::ContentType => say(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                INVALID,
                "Content-Type must be application/json, in UTF-8",
            ),
            Self::ErrandUnknown => say(StatusCode::OK, -32602, "There is no such task"),
            Self::Expect => {
                say(StatusCode::EXPECTATION_FAILED, INVALID, "The expectation is not known")
            }
            Self::Framing(fault) => say(fault.status(), INVALID, "The request is not well-formed"),
            Self::GivesAway => say(
                StatusCode::OK,
                -32602,
                "The arguments hold a key or a signature of this gateway, which nobody else is to \
                 see; take it out",
            ),
            Self::HeaderMismatch(what) => say(StatusCode::BAD_REQUEST, -32020, what),
            Self::Host => {
                say(StatusCode::MISDIRECTED_REQUEST, INVALID, "The Host is not this gateway")
            }
            Self::IdInUse => {
                say(StatusCode::BAD_REQUEST, INVALID, "The id is in use by another request")
            }
            Self::Lacks { .. } => say(
                StatusCode::BAD_REQUEST,
                -32021,
                "The tool's server needs a capability that the client does not have here",
            ),
            Self::LegacyVersion => say(
                StatusCode::BAD_REQUEST,
                INVALID,
                "MCP-Protocol-Version names a revision that is not spoken here",
            ),
            Self::Message(flaw) => say(StatusCode::BAD_REQUEST, flaw.code(), flaw.sentence()),
            Self::Method => {
                say(StatusCode::METHOD_NOT_ALLOWED, INVALID, "The HTTP method is not allowed here")
            }
            // Older clients take 404 for the end of their session.
            Self::MethodUnknown { era: Era::Legacy } => {
                say(StatusCode::OK, -32601, "There is no such method")
            }
            Self::MethodUnknown { era: Era::Modern } => {
                say(StatusCode::NOT_FOUND, -32601, "There is no such method")
            }
            Self::NoSuccessor { .. } => {
                say(StatusCode::FORBIDDEN, INVALID, "There is no credential to hand over")
            }
            Self::NotListed { kind, era, name } => Public {
                status: StatusCode::OK,
                code: not_found(*kind, *era),
                message: not_listed(*kind, name),
            },
            Self::NotSignable => say(
                StatusCode::OK,
                -32602,
                "The arguments cannot be signed for: a number in them is too large or too precise \
                 to mean the same to every reader",
            ),
            Self::TooMuchToSign => say(
                StatusCode::OK,
                -32602,
                "The arguments are too long to be signed for: a person is asked about 1 MiB at \
                 most",
            ),
            Self::Origin => say(StatusCode::FORBIDDEN, INVALID, "The Origin is not allowed"),
            Self::Path => say(StatusCode::NOT_FOUND, INVALID, "There is nothing at this path"),
            Self::Query => {
                say(StatusCode::BAD_REQUEST, INVALID, "The endpoint takes no query string")
            }
            Self::Scope { .. } => {
                say(StatusCode::FORBIDDEN, INVALID, "The access token lacks a scope")
            }
            Self::SessionGone => say(StatusCode::NOT_FOUND, INVALID, "There is no such session"),
            Self::SessionUnnamed => say(
                StatusCode::BAD_REQUEST,
                INVALID,
                "Mcp-Session-Id must stand there once, after initialize",
            ),
            Self::State => {
                say(StatusCode::OK, -32602, "The requestState does not belong to this call")
            }
            Self::Stopping => {
                say(StatusCode::SERVICE_UNAVAILABLE, INTERNAL, "The gateway is stopping")
            }
            Self::TaskConflict => {
                say(StatusCode::FORBIDDEN, INVALID, "Another task is declared elsewhere")
            }
            Self::TaskRefused => {
                say(StatusCode::FORBIDDEN, INVALID, "The task cannot be declared here")
            }
            Self::TooOften { wait_secs } => Public {
                status: StatusCode::TOO_MANY_REQUESTS,
                code: INVALID,
                message: Cow::Owned(format!(
                    "Too many calls were made lately; come back in {wait_secs} s"
                )),
            },
            Self::TurnedAway => say(
                StatusCode::TOO_MANY_REQUESTS,
                INVALID,
                "Too many attempts from this address failed",
            ),
            Self::Unauthenticated { .. } => {
                say(StatusCode::UNAUTHORIZED, INVALID, "Authentication is required")
            }
            Self::Undeclared => say(
                StatusCode::BAD_REQUEST,
                -32021,
                "The client did not say that it speaks the extension io.modelcontextprotocol/tasks",
            ),
            Self::Undecided => say(
                StatusCode::SERVICE_UNAVAILABLE,
                INTERNAL,
                "The gateway cannot tell now whether the credential is good, so nothing was done",
            ),
            Self::Unmet => {
                say(StatusCode::OK, -32602, "The tool may not be called with these arguments here")
            }
            Self::Unrecorded(_) => say(
                StatusCode::SERVICE_UNAVAILABLE,
                INTERNAL,
                "The gateway cannot record the request, so it was not done",
            ),
            Self::Unsigned { text, .. } => {
                Public { status: StatusCode::OK, code: UNSIGNED, message: Cow::Owned(text.clone()) }
            }
            Self::Upstream(fault) => say(StatusCode::OK, INTERNAL, fault.sentence()),
            Self::Version { .. } => {
                say(StatusCode::BAD_REQUEST, -32022, "The protocol version is not spoken here")
            }
        }
    }

    /// The reason for the log, unless whoever refused has put it on record already.
    pub(crate) fn unrecorded_reason(&self) -> Option<&'static str> {
        match self {
            Self::Accept => Some("accept"),
            Self::Arguments(_) => Some("arguments"),
            Self::BodySize => Some("body_too_large"),
            Self::BodyTime => Some("body_too_slow"),
            Self::Coding => Some("content_encoding"),
            Self::ContentType => Some("content_type"),
            Self::ErrandUnknown => Some("task_handle_unknown"),
            Self::Expect => Some("expect"),
            Self::Framing(fault) => Some(fault.code()),
            Self::HeaderMismatch(_) => Some("header_mismatch"),
            Self::Host => Some("host"),
            Self::IdInUse => Some("id_in_use"),
            Self::LegacyVersion | Self::Version { .. } => Some("protocol_version"),
            Self::Message(flaw) => Some(flaw.reason()),
            Self::Method => Some("http_method"),
            Self::MethodUnknown { .. } => Some("method_unknown"),
            Self::NoSuccessor { reason } => Some(reason),
            Self::NotSignable => Some("not_signable"),
            Self::TooMuchToSign => Some("too_much_to_sign"),
            Self::Origin => Some("origin"),
            Self::Path => Some("path"),
            Self::Query => Some("query"),
            Self::SessionGone => Some("session_gone"),
            Self::SessionUnnamed => Some("session_unnamed"),
            Self::State => Some("request_state"),
            Self::Stopping => Some("stopping"),
            Self::Undeclared => Some("extension_undeclared"),
            Self::Abandoned
            | Self::Answered { .. }
            | Self::GivesAway
            | Self::Lacks { .. }
            | Self::NotListed { .. }
            | Self::Scope { .. }
            | Self::TaskConflict
            | Self::TaskRefused
            | Self::TooOften { .. }
            | Self::TurnedAway
            | Self::Unauthenticated { .. }
            | Self::Undecided
            | Self::Unmet
            | Self::Unrecorded(_)
            | Self::Unsigned { .. }
            | Self::Upstream(_) => None,
        }
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.public().status
    }

    /// Headers that belong to the answer.
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        if let Self::Unauthenticated { challenge } | Self::Scope { challenge } = self {
            for value in challenge.values() {
                headers.append(header::WWW_AUTHENTICATE, value);
            }
        }
        if matches!(self, Self::Undecided | Self::Unrecorded(_) | Self::Stopping) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if let Self::TooOften { wait_secs } = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(*wait_secs));
        }
        if matches!(self, Self::TurnedAway) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if matches!(self, Self::Method) {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST, GET, DELETE"));
        }
        if matches!(self, Self::BodySize | Self::BodyTime | Self::Framing(_)) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// The answer as a JSON-RPC error, with the id of the request where it is known.
    pub(crate) fn body(&self, id: Option<&Id>, correlation: CorrelationId) -> String {
        let Public { code, message, .. } = self.public();
        let mut data = serde_json::Map::new();
        data.insert("correlation".to_owned(), correlation.to_string().into());
        if let Self::Version { requested } = self {
            data.insert("supported".to_owned(), vec![MODERN].into());
            data.insert("requested".to_owned(), requested.as_str().into());
        }
        if let Self::NotListed { kind: kind @ Kind::Resource, name, .. } = self
            && let Ok(uri) = ToolName::of(*kind, name)
        {
            data.insert("uri".to_owned(), uri.as_str().into());
        }
        if let Self::Unsigned { approval: Some(approval), .. } = self {
            data.insert("approval".to_owned(), approval.to_string().into());
        }
        if matches!(self, Self::Undeclared) {
            let required = serde_json::json!({ "extensions": { EXTENSION: {} } });
            data.insert("requiredCapabilities".to_owned(), required);
        }
        if let Self::Lacks { required } = self {
            let required = serde_json::from_str(required.get()).unwrap_or_default();
            data.insert("requiredCapabilities".to_owned(), required);
        }
        if let Self::Answered { data: Some(said), .. } = self {
            // Kept as it was written: reading it into numbers could change them.
            let mut text = serde_json::Value::Object(data).to_string();
            text.pop();
            let message = serde_json::Value::from(message.as_ref());
            let id = id.map(|id| format!("\"id\":{id},")).unwrap_or_default();
            return format!(
                "{{\"jsonrpc\":\"2.0\",{id}\"error\":{{\"code\":{code},\"message\":{message},\
                 \"data\":{text},\"server\":{said}}}}}}}"
            );
        }
        let error = serde_json::json!({ "code": code, "message": message, "data": data });
        let id = id.map(|id| format!("\"id\":{id},")).unwrap_or_default();
        format!("{{\"jsonrpc\":\"2.0\",{id}\"error\":{error}}}")
    }
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        Self::Unrecorded(error)
    }
}

/// The older era has a code of its own for a resource that is not there.
const fn not_found(kind: Kind, era: Era) -> i64 {
    match (kind, era) {
        (Kind::Resource | Kind::Template, Era::Legacy) => -32002,
        (Kind::Resource | Kind::Template, Era::Modern) | (Kind::Prompt | Kind::Tool, _) => -32602,
    }
}

/// One sentence for everything that is not allowed or does not exist. The name comes back only
/// when it is one that a thing of its kind may have.
fn not_listed(kind: Kind, name: &str) -> Cow<'static, str> {
    let noun = match kind {
        Kind::Prompt => "Prompt",
        Kind::Resource => "Resource",
        Kind::Template => "Resource template",
        Kind::Tool => "Tool",
    };
    Cow::Owned(match ToolName::of(kind, name) {
        Ok(name) => format!("{noun} '{name}' is not in this session's allowlist"),
        Err(_) => format!("The {} is not in this session's allowlist", noun.to_lowercase()),
    })
}

//! What a client may say: the messages of both protocol eras, read strictly and once.
//!
//! The client's bytes are never forwarded. What is read here is taken apart into parts with a
//! meaning; what has none here does not go on. Read it in this order: [`Envelope`] (one JSON-RPC
//! message), `era` (which revision it speaks), `ask` (what it wants).

mod ask;
mod era;
mod errand;
mod headers;
mod id;
mod members;
mod reaction;

use cs_model::json::{JsonError, Limits};
use serde_json::value::RawValue;

pub(crate) use self::ask::{Ask, Call, Incoming, Meta, Notice, read};
pub(crate) use self::era::{Era, LATEST_LEGACY, MODERN, is_legacy, is_older};
pub(crate) use self::errand::{What, Wish};
pub(crate) use self::headers::{only, says, single, written};
pub(crate) use self::id::Id;
pub(crate) use self::members::Members;
pub(crate) use self::reaction::{Message, Reaction};

/// How much structure a message may have.
const LIMITS: Limits = Limits { depth: 128, members: 100_000, key: 4096 };

/// The most characters in the name of a method.
const MOST_METHOD: usize = 128;

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flaw {
    /// Several messages at once: no revision that is spoken here has that.
    Batch,
    /// `_meta` lacks what the newer era requires.
    Envelope(&'static str),
    /// The id is absent, null, or not a plain string or integer.
    Id,
    /// The body is not JSON, or not JSON that every reader understands alike.
    Json(JsonError),
    /// A member that the message does not have.
    Member,
    /// The method is not a plain name.
    Method,
    /// Something is wrong with the parameters; this says what.
    Params(&'static str),
    /// An answer to something that was never asked.
    Response,
    /// The body is not UTF-8.
    Text,
    /// It is not JSON-RPC 2.0.
    Version,
}

impl Flaw {
    /// Its JSON-RPC error code.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Json(_) | Self::Text => -32700,
            Self::Batch
            | Self::Id
            | Self::Member
            | Self::Method
            | Self::Response
            | Self::Version => -32600,
            Self::Envelope(_) | Self::Params(_) => -32602,
        }
    }

    /// A short code for the log.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Envelope(_) => "meta",
            Self::Id => "id",
            Self::Json(JsonError::DuplicateKey) => "dup_key",
            Self::Json(JsonError::Limits) => "json_limits",
            Self::Json(JsonError::Number) => "json_number",
            Self::Json(JsonError::Syntax) => "json_syntax",
            Self::Member => "unknown_member",
            Self::Method => "method_name",
            Self::Params(_) => "params",
            Self::Response => "unasked_response",
            Self::Text => "not_utf8",
            Self::Version => "jsonrpc_version",
        }
    }

    /// A sentence for the developer of the client. It repeats nothing of the message.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::Batch => "Send one JSON-RPC message at a time, as an object",
            Self::Envelope(what) | Self::Params(what) => what,
            Self::Id => "The id must be a string of 1 to 128 bytes or an integer within 2^53 - 1",
            Self::Json(JsonError::DuplicateKey) => "A key stands twice in one object",
            Self::Json(JsonError::Limits) => "The message is nested too deeply or too large",
            Self::Json(JsonError::Number) => "A number does not mean the same to every reader",
            Self::Json(JsonError::Syntax) => "The body is not valid JSON",
            Self::Member => "The message has a member that is not known here",
            Self::Method => "The method must be a plain name",
            Self::Response => "Nothing was asked that this would answer",
            Self::Text => "The body is not valid UTF-8",
            Self::Version => "The message is not JSON-RPC 2.0",
        }
    }
}

/// One JSON-RPC message, before it is known what it means.
#[derive(Debug)]
pub(crate) struct Envelope<'b> {
    /// The id, of a request.
    pub(crate) id: Option<Id>,
    /// The method.
    pub(crate) method: String,
    /// The parameters: an object, when there are any.
    pub(crate) params: Option<Members<'b>>,
}

impl<'b> Envelope<'b> {
    /// Reads a message that is no answer.
    fn read(members: &Members<'b>) -> Result<Self, Flaw> {
        if !members.are_all_in(&["jsonrpc", "id", "method", "params"]) {
            return Err(Flaw::Member);
        }
        let method = members.text("method").filter(|name| is_method(name)).ok_or(Flaw::Method)?;
        let id = match members.get("id") {
            Some(raw) => Some(Id::read(raw.get()).ok_or(Flaw::Id)?),
            None => None,
        };
        let params = match members.get("params") {
            Some(raw) => Some(object(raw).ok_or(Flaw::Params("The params must be an object"))?),
            None => None,
        };
        Ok(Self { id, method, params })
    }
}

fn object(raw: &RawValue) -> Option<Members<'_>> {
    Members::read(raw.get())
}

fn is_method(name: &str) -> bool {
    (1..=MOST_METHOD).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
}

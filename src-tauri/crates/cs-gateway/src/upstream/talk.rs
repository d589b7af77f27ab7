//! What a server says while it serves a call, before it answers: how far it is, what it notes
//! down, and what it asks back.

use std::fmt;

use cs_model::text::neutralise;
use cs_model::{Pass, Passes};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use crate::wire::Members;

/// The most bytes of one question, and of one line of a server's log.
pub(crate) const QUESTION: usize = 256 * 1024;
const NOTE: usize = 64 * 1024;

/// The most questions that a server may ask in one answer, and the most characters of a key.
pub(super) const MOST: usize = 16;
const KEY: usize = 256;

/// What whoever is behind a call can be asked for: what the client says that it can, as far as
/// the switches of the server let it pass. By default nothing.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a capability of the protocol")]
pub(crate) struct Abilities {
    /// A form can be shown to the user.
    pub(crate) form: bool,
    /// An address can be shown to the user.
    pub(crate) url: bool,
    /// The folders can be listed.
    pub(crate) roots: bool,
    /// The model can be used.
    pub(crate) sampling: bool,
}

impl Abilities {
    /// Reads what a client says that it can.
    pub(crate) fn read(capabilities: &Members<'_>) -> Self {
        let elicitation = capabilities.object("elicitation");
        let modes = elicitation.as_ref();
        // A client of an older revision names no modes, and means forms.
        let form = modes.is_some_and(|it| it.has_any(&["form"]) || !it.has_any(&["url"]));
        Self {
            form,
            url: modes.is_some_and(|it| it.has_any(&["url"])),
            roots: capabilities.object("roots").is_some(),
            sampling: capabilities.object("sampling").is_some(),
        }
    }

    /// Those of them that the switches of a server let through.
    pub(crate) fn let_through(self, passes: &Passes) -> Self {
        Self {
            form: self.form && passes.has(Pass::Elicitation),
            url: self.url && passes.has(Pass::Elicitation),
            roots: self.roots && passes.has(Pass::Roots),
            sampling: self.sampling && passes.has(Pass::Sampling),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// What a server is told of them.
    pub(super) fn json(self) -> String {
        let mut parts = Vec::new();
        match (self.form, self.url) {
            (false, false) => {}
            (true, false) => parts.push(r#""elicitation":{"form":{}}"#),
            (false, true) => parts.push(r#""elicitation":{"url":{}}"#),
            (true, true) => parts.push(r#""elicitation":{"form":{},"url":{}}"#),
        }
        if self.roots {
            parts.push(r#""roots":{}"#);
        }
        if self.sampling {
            parts.push(r#""sampling":{}"#);
        }
        format!("{{{}}}", parts.join(","))
    }

    /// Whether a question may be put at all.
    pub(crate) fn cover(self, question: &Question) -> bool {
        match question.kind {
            AskKind::Form => self.form,
            AskKind::Roots => self.roots,
            AskKind::Sampling => self.sampling,
            AskKind::Url => self.url,
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AskKind {
    /// The user, with a form.
    Form,
    /// The client, for its folders.
    Roots,
    /// The model.
    Sampling,
    /// The user, with an address to open.
    Url,
}

impl AskKind {
    /// The method.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Form | Self::Url => "elicitation/create",
            Self::Roots => "roots/list",
            Self::Sampling => "sampling/createMessage",
        }
    }

    /// A short code for the log.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Form => "asks_form",
            Self::Roots => "asks_roots",
            Self::Sampling => "asks_sampling",
            Self::Url => "asks_url",
        }
    }
}

/// A question of a server, rebuilt from what has a meaning.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) kind: AskKind,
    /// The parameters: an object without `_meta`.
    pub(crate) params: String,
}

/// Why a question is not put.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NotAsked {
    pub(crate) code: i64,
    pub(crate) message: &'static str,
}

impl NotAsked {
    pub(crate) const ABLE: Self = Self { code: -32601, message: "Method not found" };
    pub(crate) const ANSWERED: Self = Self { code: -32603, message: "Nobody answered" };
    pub(crate) const SHAPE: Self = Self { code: -32602, message: "The question is not acceptable" };
}

impl Question {
    /// Reads what a server asks.
    pub(crate) fn read(method: &str, params: Option<&RawValue>) -> Result<Self, NotAsked> {
        let params = match params {
            Some(raw) if raw.get().len() > QUESTION => return Err(NotAsked::SHAPE),
            Some(raw) => Some(Members::read(raw.get()).ok_or(NotAsked::SHAPE)?),
            None => None,
        };
        let mode = params.as_ref().and_then(|params| params.text("mode"));
        let kind = match (method, mode.as_deref()) {
            ("elicitation/create", None | Some("form")) => AskKind::Form,
            ("elicitation/create", Some("url")) => AskKind::Url,
            ("elicitation/create", Some(_)) => return Err(NotAsked::SHAPE),
            ("roots/list", _) => AskKind::Roots,
            ("sampling/createMessage", _) => AskKind::Sampling,
            (_, _) => return Err(NotAsked::ABLE),
        };
        let params = match (kind, params) {
            (AskKind::Roots, _) => "{}".to_owned(),
            (_, Some(params)) => params.without(&["_meta", "task"]),
            (_, None) => return Err(NotAsked::SHAPE),
        };
        Ok(Self { kind, params })
    }
}

/// What a server of the newer era wants to know before it answers.
#[derive(Debug)]
pub(crate) struct Asks {
    /// Its questions, by its own keys.
    pub(crate) questions: Vec<(String, Question)>,
    /// What it wants to have back.
    pub(crate) state: Option<String>,
}

impl Asks {
    /// Reads an `input_required` result.
    pub(super) fn read(result: &Members<'_>, abilities: Abilities) -> Option<Self> {
        let state = match result.get("requestState") {
            Some(raw) if raw.get().len() <= QUESTION => Some(result.text("requestState")?),
            Some(_) => return None,
            None => None,
        };
        let mut questions = Vec::new();
        if result.get("inputRequests").is_some() {
            for (key, raw) in result.object("inputRequests")?.iter() {
                let asked = Members::read(raw.get())?;
                let question = Question::read(&asked.text("method")?, asked.get("params")).ok()?;
                if key.len() > KEY || !abilities.cover(&question) {
                    return None;
                }
                questions.push((key.to_owned(), question));
            }
        }
        let some = state.is_some() || !questions.is_empty();
        (some && questions.len() <= MOST).then_some(Self { questions, state })
    }
}

/// What goes with the next request after a server of the newer era asked for something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    /// The answers: an object by the server's own keys.
    pub(crate) responses: Option<String>,
    /// What it wanted to have back.
    pub(crate) state: Option<String>,
}

/// How loud a note is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl Level {
    /// Reads one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::from(text)).ok()
    }

    /// As it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}

/// A line of a server's log.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) level: Level,
    /// The parameters of `notifications/message`, rebuilt.
    pub(crate) params: String,
}

impl Note {
    /// Reads one.
    pub(super) fn read(params: Option<&RawValue>) -> Option<Self> {
        let params = params.filter(|raw| raw.get().len() <= NOTE)?;
        let members = Members::read(params.get())?;
        let level = Level::read(&members.text("level")?)?;
        let data = members.get("data")?;
        let logger = members.text("logger").map(|name| {
            let name = serde_json::Value::from(neutralise(&name, 200));
            format!("\"logger\":{name},")
        });
        let (logger, word) = (logger.unwrap_or_default(), level.as_str());
        Some(Self { level, params: format!("{{\"level\":\"{word}\",{logger}\"data\":{data}}}") })
    }
}

/// A question that waits for its answer.
pub(crate) struct Asked {
    pub(crate) question: Question,
    /// Where the answer goes: a result, or why there is none.
    pub(crate) answer: oneshot::Sender<Result<String, NotAsked>>,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("question", &self.question).finish_non_exhaustive()
    }
}

/// Something that a server says before it answers.
#[derive(Debug)]
pub(crate) enum Told {
    /// It asks.
    Asked(Asked),
    /// It notes something down.
    Note(Note),
    /// It says how far it is: an object with `progress`, `total` and `message`.
    Progress(Box<RawValue>),
    /// It asked for something that it may not ask for, and was told so.
    Turned(&'static str),
}

/// Where a call hears of it.
pub(crate) type Ear = mpsc::Sender<Told>;

/// What is said back to a server that asked: at once, or once somebody has answered.
#[derive(Debug)]
pub(super) enum Back {
    Later { id: Box<RawValue>, answer: oneshot::Receiver<Result<String, NotAsked>> },
    Now(String),
}

impl Back {
    /// The message, when it is there.
    pub(super) async fn text(self) -> String {
        match self {
            Self::Now(text) => text,
            Self::Later { id, answer } => match answer.await {
                Ok(Ok(result)) => {
                    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
                }
                Ok(Err(why)) => not_asked(&id, why),
                Err(_) => not_asked(&id, NotAsked::ANSWERED),
            },
        }
    }
}

pub(super) fn not_asked(id: &RawValue, why: NotAsked) -> String {
    let NotAsked { code, message } = why;
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abilities(text: &str) -> Abilities {
        Abilities::read(&Members::read(text).unwrap())
    }

    #[test]
    fn a_client_can_what_it_says_and_nothing_else() {
        assert_eq!(abilities("{}"), Abilities::default());
        let forms = Abilities { form: true, ..Abilities::default() };
        assert_eq!(abilities(r#"{"elicitation":{}}"#), forms);
        assert_eq!(abilities(r#"{"elicitation":{"form":{}},"tasks":{}}"#), forms);
        let url = Abilities { url: true, ..Abilities::default() };
        assert_eq!(abilities(r#"{"elicitation":{"url":{}}}"#), url);
        let all = r#"{"elicitation":{"form":{},"url":{}},"roots":{},"sampling":{}}"#;
        assert_eq!(abilities(all).json(), all);
    }

    #[test]
    fn h15_a_question_that_nobody_can_answer_is_not_read() {
        let asks = |text: &str| {
            let able = Abilities { form: true, ..Abilities::default() };
            Asks::read(&Members::read(text).unwrap(), able)
        };
        let form = r#"{"method":"elicitation/create","params":{"message":"?"}}"#;
        let url = r#"{"method":"elicitation/create","params":{"mode":"url","message":"?"}}"#;
        let model = r#"{"method":"sampling/createMessage","params":{"messages":[]}}"#;
        let one = asks(&format!(r#"{{"inputRequests":{{"a":{form}}}}}"#)).unwrap();
        assert_eq!((one.questions[0].0.as_str(), one.questions[0].1.kind), ("a", AskKind::Form));
        for other in [url, model, r#"{"method":"tools/call","params":{}}"#, "3"] {
            assert!(asks(&format!(r#"{{"inputRequests":{{"a":{form},"b":{other}}}}}"#)).is_none());
        }
        assert!(asks("{}").is_none());
        assert!(asks(r#"{"requestState":"x"}"#).is_some());
    }
}

//! Tasks of servers of the newer era (the extension `io.modelcontextprotocol/tasks`). A server may
//! answer a call with one and do the work meanwhile. In this code they are called errands: a task
//! is what an agent declares.

use cs_model::Timestamp;
use cs_model::text::neutralise;
use serde_json::value::RawValue;

use super::talk::MOST as MOST_QUESTIONS;
use super::wire::{Answer, Fault, OTHER, Violation, check_result};
use super::{Question, Talk};
use crate::item::Shape;
use crate::wire::{Era, Members};

/// The name of the extension.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The most bytes in the id that a server gives an errand, and in the key of one of its questions.
const ID: usize = 512;
const KEY: usize = 256;

/// The most characters of what a server says of where an errand stands.
const MESSAGE: usize = 500;

/// Where an errand stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    Asks,
    Cancelled,
    Completed,
    Failed,
    Working,
}

impl Status {
    fn read(text: &str) -> Option<Self> {
        let all = [Self::Asks, Self::Cancelled, Self::Completed, Self::Failed, Self::Working];
        all.into_iter().find(|it| it.as_str() == text)
    }

    /// As it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Asks => "input_required",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Working => "working",
        }
    }
}

/// What is told of an errand besides.
#[derive(Debug)]
pub(crate) enum Detail {
    /// What the server wants to know, by its own keys.
    Asks(Vec<(String, Question)>),
    /// A JSON-RPC error. Its text is bounded and neutral.
    Error { code: i64, message: String, data: Option<Box<RawValue>> },
    /// Nothing.
    None,
    /// The result of the call: an object with the shape of one.
    Result(Box<RawValue>),
}

/// An errand, as its server tells of it.
#[derive(Debug)]
pub(crate) struct Errand {
    /// What its server calls it.
    pub(crate) id: String,
    pub(crate) status: Status,
    /// What its server says of it, bounded and neutral.
    pub(crate) message: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// For how long from its creation it is there, in milliseconds; nothing when without end.
    pub(crate) ttl: Option<u64>,
    /// How long to wait before asking again, in milliseconds.
    pub(crate) poll: Option<u64>,
    pub(crate) detail: Detail,
}

/// What is done about an errand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ErrandAct<'a> {
    /// It is given up.
    Cancel,
    /// It is looked at.
    Get,
    /// It gets answers to what its server asked: an object by the server's keys.
    Update(&'a str),
}

/// A request about an errand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrandCall<'a> {
    /// What its server calls it.
    pub(crate) id: &'a str,
    pub(crate) act: ErrandAct<'a>,
    /// What its server may say and ask, and whom.
    pub(crate) talk: Talk,
}

/// What a server answered to that.
#[derive(Debug)]
pub(crate) enum ErrandReply {
    /// It was done.
    Done,
    /// It does not know the errand, or would not do it.
    Refused,
    /// Where the errand stands.
    Stands(Box<Errand>),
}

impl ErrandCall<'_> {
    /// The method.
    pub(super) const fn method(self) -> &'static str {
        match self.act {
            ErrandAct::Cancel => "tasks/cancel",
            ErrandAct::Get => "tasks/get",
            ErrandAct::Update(_) => "tasks/update",
        }
    }

    /// The parameters.
    pub(super) fn members(self) -> Vec<String> {
        let id = format!(r#""taskId":{}"#, serde_json::Value::from(self.id));
        let responses = match self.act {
            ErrandAct::Update(responses) => Some(format!(r#""inputResponses":{responses}"#)),
            ErrandAct::Cancel | ErrandAct::Get => None,
        };
        [id].into_iter().chain(responses).collect()
    }

    /// Reads the answer.
    pub(super) fn reply(self, answer: Answer) -> Result<ErrandReply, Violation> {
        let result = match answer {
            Answer::Result(result) => result,
            Answer::Error(_) => return Ok(ErrandReply::Refused),
        };
        let members = Members::read(result.get()).ok_or(OTHER)?;
        let kind = members.text("resultType");
        if kind.is_some_and(|kind| kind != "complete") {
            return Err(OTHER);
        }
        match self.act {
            ErrandAct::Cancel | ErrandAct::Update(_) => Ok(ErrandReply::Done),
            ErrandAct::Get => {
                let errand = Errand::read(&members, true)?;
                if errand.id == self.id {
                    Ok(ErrandReply::Stands(Box::new(errand)))
                } else {
                    Err(Violation("an answer about another task than the one that was asked for"))
                }
            }
        }
    }
}

impl Errand {
    /// Reads an errand that a call was answered with, if it was.
    pub(super) fn created(result: &Members<'_>) -> Result<Option<Self>, Violation> {
        match result.text("resultType").as_deref() {
            Some("task") => Self::read(result, false).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// Reads what a server tells of an errand, with its detail where there has to be one.
    fn read(members: &Members<'_>, detailed: bool) -> Result<Self, Violation> {
        const SHAPE: Violation = Violation("a task does not have the shape of one");
        let time = |key| members.text(key).and_then(|text| text.parse::<Timestamp>().ok());
        let whole = |key| match members.get(key).map(RawValue::get) {
            None | Some("null") => Ok(None),
            Some(raw) => raw.parse::<u64>().map(Some).map_err(|_| SHAPE),
        };
        let id = members.text("taskId").ok_or(SHAPE)?;
        let plain = (1..=ID).contains(&id.len()) && !id.chars().any(char::is_control);
        let status = members.text("status").and_then(|text| Status::read(&text));
        let status = status.filter(|_| plain).ok_or(SHAPE)?;
        let detail = match (status, detailed) {
            (Status::Cancelled | Status::Working, _) | (_, false) => Detail::None,
            (Status::Asks, true) => Detail::Asks(questions(members)?),
            (Status::Completed, true) => {
                let result = members.get("result").ok_or(SHAPE)?;
                check_result(result, Shape::Content, Era::Modern)?;
                Detail::Result(result.to_owned())
            }
            (Status::Failed, true) => {
                let error = members.get("error").filter(|raw| raw.get().starts_with('{'));
                let fault: Fault =
                    serde_json::from_str(error.ok_or(SHAPE)?.get()).map_err(|_| SHAPE)?;
                let (code, message, data) = fault.told();
                Detail::Error { code, message, data }
            }
        };
        let message = members.text("statusMessage").map(|text| neutralise(&text, MESSAGE));
        let (created, updated) = (time("createdAt").ok_or(SHAPE)?, time("lastUpdatedAt"));
        let (ttl, poll) = (whole("ttlMs")?, whole("pollIntervalMs")?);
        let updated = updated.ok_or(SHAPE)?;
        Ok(Self { id, status, message, created, updated, ttl, poll, detail })
    }
}

/// What a server wants to know before it goes on with an errand.
/// Whether it may be asked is for others to say.
fn questions(members: &Members<'_>) -> Result<Vec<(String, Question)>, Violation> {
    let asked = members.object("inputRequests").ok_or(OTHER)?;
    let mut all = Vec::new();
    for (key, raw) in asked.iter() {
        let question = Members::read(raw.get())
            .and_then(|asked| Question::read(&asked.text("method")?, asked.get("params")).ok());
        let question = question.ok_or(super::wire::ASKS)?;
        if key.len() > KEY || all.len() >= MOST_QUESTIONS {
            return Err(super::wire::ASKS);
        }
        all.push((key.to_owned(), question));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = r#""createdAt":"2026-07-28T09:30:00Z","lastUpdatedAt":"2026-07-28T09:30:00Z","ttlMs":60000"#;

    fn read(more: &str) -> Result<Errand, Violation> {
        let text = format!(r#"{{"taskId":"t",{NOW},{more}}}"#);
        Errand::read(&Members::read(&text).unwrap(), true)
    }

    #[test]
    fn x11_a_task_has_the_shape_of_one_or_is_not_believed() {
        let content = r#"{"content":[]}"#;
        let form = r#"{"q":{"method":"elicitation/create","params":{"message":"?"}}}"#;
        let call = r#"{"q":{"method":"tools/call","params":{}}}"#;
        for (more, fits) in [
            (r#""status":"working""#.to_owned(), true),
            (r#""status":"working","pollIntervalMs":500,"statusMessage":"x""#.to_owned(), true),
            (r#""status":"cancelled""#.to_owned(), true),
            (format!(r#""status":"completed","result":{content}"#), true),
            (r#""status":"failed","error":{"code":-32603,"message":"m"}"#.to_owned(), true),
            (format!(r#""status":"input_required","inputRequests":{form}"#), true),
            (format!(r#""status":"input_required","inputRequests":{call}"#), false),
            (r#""status":"input_required""#.to_owned(), false),
            (r#""status":"completed""#.to_owned(), false),
            (r#""status":"completed","result":{}"#.to_owned(), false),
            (
                r#""status":"completed","result":{"resultType":"task","content":[]}"#.to_owned(),
                false,
            ),
            (r#""status":"failed","error":"no""#.to_owned(), false),
            (r#""status":"done""#.to_owned(), false),
            (r#""status":"working","pollIntervalMs":1.5"#.to_owned(), false),
            (r#""status":"working","pollIntervalMs":-1"#.to_owned(), false),
            ("\"x\":1".to_owned(), false),
        ] {
            assert_eq!(read(&more).is_ok(), fits, "{more}");
        }
    }

    #[test]
    fn a_task_without_times_or_name_is_none() {
        for text in [
            format!(r#"{{{NOW},"status":"working"}}"#),
            format!(r#"{{"taskId":"",{NOW},"status":"working"}}"#),
            format!(r#"{{"taskId":"a\nb",{NOW},"status":"working"}}"#),
            r#"{"taskId":"t","status":"working","ttlMs":null}"#.to_owned(),
        ] {
            assert!(Errand::read(&Members::read(&text).unwrap(), false).is_err(), "{text}");
        }
    }
}

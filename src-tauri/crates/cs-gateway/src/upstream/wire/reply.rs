//! What a server may answer to a call.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{Abilities, AskKind, Asks, Errand, Question, Reply, ReplyBody, ToolCall};
use super::{ASKS, Answer, DATA, Fault, OTHER, Violation, is_object};
use crate::item::Shape;
use crate::wire::{Era, Members};

/// Reads the answer to a call.
pub(in crate::upstream) fn reply(
    answer: Answer,
    call: &ToolCall<'_>,
    era: Era,
) -> Result<Reply, Violation> {
    match answer {
        Answer::Result(result) => {
            if let Some(asks) = asked(&result, era, call.talk.abilities)? {
                return Ok(Reply { body: ReplyBody::Asks(asks) });
            }
            if let Some(errand) = begun(&result, era, call)? {
                return Ok(Reply { body: ReplyBody::Errand(Box::new(errand)) });
            }
            check_result(&result, Shape::of(call.kind, call.act), era)?;
            Ok(Reply { body: ReplyBody::Result(result) })
        }
        Answer::Error(Fault { code: -32021, data: Some(data), .. }) if era == Era::Modern => {
            let told = Members::read(data.get()).filter(|_| data.get().len() <= DATA);
            let required = told.as_ref().and_then(|told| told.get("requiredCapabilities"));
            let required = required.filter(|it| is_object(it.get()));
            let required = required.ok_or(Violation("an error does not have the shape of one"))?;
            Ok(Reply { body: ReplyBody::Lacks(required.to_owned()) })
        }
        Answer::Error(fault) => {
            if let Some(body) = visits(&fault, call, era) {
                return Ok(Reply { body });
            }
            let reads = Shape::of(call.kind, call.act) == Shape::Contents;
            let (code, message, data) = fault.told();
            // There is nothing at the URI, in the words of the newest revision.
            let nothing = code == -32602 && era == Era::Modern && reads;
            let code = if nothing { -32002 } else { code };
            Ok(Reply { body: ReplyBody::Error { code, message, data } })
        }
    }
}

/// The errand that a call was answered with, if it was. Nobody gets one who did not say that it
/// can do with one.
fn begun(result: &RawValue, era: Era, call: &ToolCall<'_>) -> Result<Option<Errand>, Violation> {
    let able =
        era == Era::Modern && call.talk.errands && Shape::of(call.kind, call.act) == Shape::Content;
    match Members::read(result.get()).filter(|_| able) {
        Some(members) => Errand::created(&members),
        None => Ok(None),
    }
}

/// The most addresses that one call may send a person to.
const VISITS: usize = 8;

/// What it means that a server of an older revision wants people to visit addresses first: it
/// asks for that, where the client can be asked and the switch of the server is on.
fn visits(fault: &Fault, call: &ToolCall<'_>, era: Era) -> Option<ReplyBody> {
    if fault.code != -32042 || era != Era::Legacy {
        return None;
    }
    let data = Members::read(fault.data.as_ref()?.get())?;
    let all: Vec<&RawValue> = serde_json::from_str(data.get("elicitations")?.get()).ok()?;
    let mut questions = Vec::new();
    for (number, raw) in all.iter().enumerate() {
        let question = Question::read("elicitation/create", Some(raw)).ok()?;
        questions.push((format!("visit-{}", number.saturating_add(1)), question));
    }
    let only_visits = questions.iter().all(|(_, it)| it.kind == AskKind::Url);
    if !(1..=VISITS).contains(&questions.len()) || !only_visits {
        return None;
    }
    if !call.talk.abilities.url {
        let required = RawValue::from_string(r#"{"elicitation":{"url":{}}}"#.to_owned());
        return required.ok().map(ReplyBody::Lacks);
    }
    Some(ReplyBody::Visits(questions))
}

/// What a server of the newest revision wants to know first, if it does.
fn asked(result: &RawValue, era: Era, able: Abilities) -> Result<Option<Asks>, Violation> {
    let Some(members) = Members::read(result.get()) else { return Ok(None) };
    let asks = members.text("resultType").is_some_and(|kind| kind == "input_required");
    if era == Era::Legacy || !asks {
        return Ok(None);
    }
    Asks::read(&members, able).map(Some).ok_or(ASKS)
}

/// A result has what every result of its shape has, and does not turn into something that nobody
/// asked for: a task, or a question to the agent's user. What a tool gives as data is an object;
/// in the newest revision it may be anything.
pub(in crate::upstream) fn check_result(
    result: &RawValue,
    expected: Shape,
    era: Era,
) -> Result<(), Violation> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Said<'a> {
        #[serde(borrow)]
        structured_content: Option<&'a RawValue>,
        is_error: Option<bool>,
        result_type: Option<String>,
        task: Option<serde::de::IgnoredAny>,
    }
    let said: Said<'_> = serde_json::from_str(result.get()).map_err(|_| OTHER)?;
    let structured = era == Era::Modern
        || expected != Shape::Content
        || said.structured_content.is_none_or(|structured| is_object(structured.get()));
    let plain = said.result_type.is_none_or(|kind| kind == "complete") && said.task.is_none();
    let _ = said.is_error;
    if expected.has_body(result.get()) && structured && plain { Ok(()) } else { Err(OTHER) }
}

#[cfg(test)]
mod tests {
    use cs_model::{Digest, Kind, ToolName};

    use super::*;
    use crate::upstream::Talk;
    use crate::upstream::tests::nobody;

    #[test]
    fn h11_x11_a_task_is_believed_only_where_it_could_be_asked_for() {
        let created = r#"{"resultType":"task","taskId":"t","status":"working","ttlMs":60000,"createdAt":"2026-07-28T09:30:00Z","lastUpdatedAt":"2026-07-28T09:30:00Z"}"#;
        let tool = ToolName::parse("echo").unwrap();
        for (era, errands, kind, believed) in [
            (Era::Modern, true, Kind::Tool, true),
            (Era::Modern, false, Kind::Tool, false),
            (Era::Legacy, true, Kind::Tool, false),
            (Era::Modern, true, Kind::Prompt, false),
        ] {
            let call = ToolCall {
                kind,
                act: cs_policy::Act::Use,
                tool: &tool,
                fingerprint: Digest::of(b"echo"),
                arguments: None,
                wants_progress: false,
                trace: None,
                repeated: &[],
                talk: Talk { errands, ..nobody() },
                inputs: None,
            };
            let answer = RawValue::from_string(created.to_owned()).unwrap();
            let read = reply(Answer::Result(answer), &call, era).map(|it| it.body);
            assert_eq!(
                matches!(read, Ok(ReplyBody::Errand(_))),
                believed,
                "{era:?} {errands} {kind}"
            );
            assert_eq!(read.is_ok(), believed, "{era:?} {errands} {kind}");
        }
    }
}

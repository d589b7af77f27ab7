//! What a server answers, in the words of the era of whoever asked.

use cs_model::Kind;
use cs_policy::Act;
use serde_json::value::RawValue;

use crate::refusal::{Refusal, UpstreamFault};
use crate::wire::{Era, Members};

/// The most values of a completion (MCP, server/utilities/completion).
const MOST_VALUES: usize = 100;

/// The shape of a result.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// Values for an argument.
    Completion,
    /// What is at a URI.
    Contents,
    /// What a tool gives back.
    Content,
    /// A prompt, filled in.
    Messages,
}

impl Shape {
    /// The shape of the result of this.
    pub(crate) const fn of(kind: Kind, act: Act) -> Self {
        match (act, kind) {
            (Act::Complete, _) => Self::Completion,
            (Act::Use, Kind::Prompt) => Self::Messages,
            (Act::Use, Kind::Resource | Kind::Template) => Self::Contents,
            (Act::Use, Kind::Tool) => Self::Content,
        }
    }

    /// Whether the result has the member that every result of its shape has.
    pub(crate) fn has_body(self, result: &str) -> bool {
        let Some(members) = Members::read(result) else { return false };
        let list = |key| members.get(key).is_some_and(|raw| raw.get().starts_with('['));
        match self {
            Self::Completion => {
                let values = members.object("completion").and_then(|it| {
                    serde_json::from_str::<Vec<String>>(it.get("values")?.get()).ok()
                });
                values.is_some_and(|values| values.len() <= MOST_VALUES)
            }
            Self::Contents => list("contents"),
            Self::Content => list("content"),
            Self::Messages => list("messages"),
        }
    }
}

/// A result in the words of the era: the newer one says that it is complete, and of what is at a
/// URI how long it may be kept; in the older one nothing says so, and a tool's data is an object
/// or is not there.
pub(crate) fn complete(era: Era, shape: Shape, result: &RawValue) -> Result<String, Refusal> {
    let rejected = Refusal::Upstream(UpstreamFault::Rejected);
    let Some(members) = Members::read(result.get()) else { return Err(rejected) };
    let said = members.get("resultType").map(RawValue::get);
    // Nobody asked for anything but a complete result.
    if said.is_some_and(|said| said != "\"complete\"") {
        return Err(rejected);
    }
    // How long an answer may be kept, and for whom, is for whoever judged the question to say.
    let kept = shape == Shape::Contents && members.has_any(&["ttlMs", "cacheScope"]);
    let data = members.get("structuredContent").map(RawValue::get);
    let foreign = era == Era::Legacy
        && shape == Shape::Content
        && data.is_some_and(|data| !data.starts_with('{'));
    let stripped = match (era, said, kept, foreign) {
        (Era::Legacy, None, false, false) | (Era::Modern, _, false, _) => None,
        (_, _, true, _) => Some(members.without(&["resultType", "ttlMs", "cacheScope"])),
        (Era::Legacy, _, false, true) => {
            Some(members.without(&["resultType", "structuredContent"]))
        }
        (Era::Legacy, Some(_), false, false) => Some(members.without(&["resultType"])),
    };
    let text = stripped.as_deref().unwrap_or_else(|| result.get());
    if era == Era::Legacy {
        return Ok(text.to_owned());
    }
    let mut added = Vec::new();
    if stripped.is_some() || said.is_none() {
        added.push("\"resultType\":\"complete\"");
    }
    if shape == Shape::Contents {
        added.push("\"ttlMs\":0,\"cacheScope\":\"private\"");
    }
    let inner = text.trim_start().strip_prefix('{').ok_or(rejected)?;
    let comma = if added.is_empty() || inner.trim_start().starts_with('}') { "" } else { "," };
    Ok(format!("{{{}{comma}{inner}", added.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(era: Era, shape: Shape, result: &str) -> Option<String> {
        complete(era, shape, &RawValue::from_string(result.to_owned()).unwrap()).ok()
    }

    #[test]
    fn a_result_is_told_in_the_words_of_the_era() {
        use Era::{Legacy, Modern};
        use Shape::{Content, Contents, Messages};
        const PRIVATE: &str = r#""resultType":"complete","ttlMs":0,"cacheScope":"private","#;
        for (era, shape, result, expected) in [
            (Legacy, Content, r#"{"content":[]}"#, r#"{"content":[]}"#),
            (Modern, Content, r#"{"content":[]}"#, r#"{"resultType":"complete","content":[]}"#),
            (Modern, Content, "{}", r#"{"resultType":"complete"}"#),
            (Modern, Content, r#"{"resultType":"complete"}"#, r#"{"resultType":"complete"}"#),
            (Legacy, Messages, r#"{"resultType":"complete","messages":[]}"#, r#"{"messages":[]}"#),
            (Legacy, Content, r#"{"structuredContent":1,"content":[]}"#, r#"{"content":[]}"#),
            (
                Modern,
                Contents,
                r#"{"contents":[1.0]}"#,
                &format!("{{{PRIVATE}\"contents\":[1.0]}}"),
            ),
            (
                Modern,
                Contents,
                r#"{"ttlMs":9,"cacheScope":"public","contents":[]}"#,
                &format!("{{{PRIVATE}\"contents\":[]}}"),
            ),
            (
                Legacy,
                Contents,
                r#"{"resultType":"complete","ttlMs":9,"cacheScope":"public","contents":[]}"#,
                r#"{"contents":[]}"#,
            ),
        ] {
            assert_eq!(told(era, shape, result).as_deref(), Some(expected), "{result}");
        }
        assert_eq!(told(Modern, Contents, r#"{"resultType":"input_required"}"#), None);
    }

    #[test]
    fn every_shape_has_its_member() {
        let all = [
            (Shape::Completion, r#"{"completion":{"values":["a"]}}"#),
            (Shape::Contents, r#"{"contents":[]}"#),
            (Shape::Content, r#"{"content":[]}"#),
            (Shape::Messages, r#"{"messages":[]}"#),
        ];
        for (shape, _) in all {
            for (other, result) in all {
                assert_eq!(shape.has_body(result), shape == other, "{shape:?} {result}");
            }
        }
        let many = serde_json::json!({ "completion": { "values": vec!["x"; 101] } });
        assert!(!Shape::Completion.has_body(&many.to_string()));
        assert!(!Shape::Completion.has_body(r#"{"completion":{"values":[1]}}"#));
    }
}

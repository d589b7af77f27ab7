//! What agents see of a definition: all of it, but for what it says to hosts that let pages of a
//! server in, and for what it says of a kind of task that is not there.

use std::borrow::Cow;

use cs_model::Kind;

use crate::wire::Members;

/// How a tool wants to be run as a task of the revision that had them in its core.
const EXECUTION: &str = "execution";

/// Whether a member of `_meta` is about pages of a server.
fn is_about_pages(key: &str) -> bool {
    key == "ui" || key.starts_with("ui/") || key == "io.modelcontextprotocol/ui"
}

/// A definition as agents see it, byte for byte unless something of it does not pass. Nothing is
/// decided on this: what is pinned is the definition itself.
pub(crate) fn shown(kind: Kind, definition: &str, pages: bool) -> Cow<'_, str> {
    let members = (kind == Kind::Tool).then(|| Members::read(definition)).flatten();
    let Some(members) = members else { return Cow::Borrowed(definition) };
    let meta = members.object("_meta").filter(|_| !pages);
    let meta = meta.filter(|meta| meta.iter().any(|(key, _)| is_about_pages(key)));
    if meta.is_none() && !members.has_any(&[EXECUTION]) {
        return Cow::Borrowed(definition);
    }
    let kept = members.iter().filter(|(key, _)| *key != EXECUTION);
    let kept = kept.map(|(key, raw)| {
        let name = serde_json::Value::from(key);
        match meta.as_ref().filter(|_| key == "_meta") {
            Some(meta) => {
                let keys: Vec<&str> = meta.iter().map(|(key, _)| key).collect();
                let gone: Vec<&str> = keys.into_iter().filter(|key| is_about_pages(key)).collect();
                format!("{name}:{}", meta.without(&gone))
            }
            None => format!("{name}:{raw}"),
        }
    });
    Cow::Owned(format!("{{{}}}", kept.collect::<Vec<_>>().join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x09_a_tool_says_nothing_of_pages_unless_they_pass() {
        let definition = r#"{ "name":"a", "_meta":{"ui":{"resourceUri":"ui://a"},"ui/resourceUri":"ui://a","x":1.0},"n":1e2}"#;
        assert_eq!(shown(Kind::Tool, definition, true), definition);
        let stripped = r#"{"name":"a","_meta":{"x":1.0},"n":1e2}"#;
        assert_eq!(shown(Kind::Tool, definition, false), stripped);
        assert_eq!(shown(Kind::Resource, definition, false), definition);
    }

    #[test]
    fn a_definition_that_says_nothing_of_it_is_shown_byte_for_byte() {
        let definition = r#"{ "name":"a",  "_meta":{"x":{"ui":1}},"n":1e2}"#;
        assert!(
            matches!(shown(Kind::Tool, definition, false), Cow::Borrowed(it) if it == definition)
        );
    }

    #[test]
    fn h11_what_a_tool_says_of_tasks_of_another_revision_is_not_shown() {
        let definition = r#"{"name":"a","execution":{"taskSupport":"required"},"n":1.0}"#;
        assert_eq!(shown(Kind::Tool, definition, true), r#"{"name":"a","n":1.0}"#);
    }
}

//! A command exists if and only if it is in the desktop's list, in a capability and in the
//! interface's types. (That each has a handler, the desktop's own tests say.)

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::Text;

const LIST: &str = "src-tauri/src/commands_list.rs";
const TYPES: &str = "ui/src/ipc/generated.ts";
const CAPABILITIES: &str = "src-tauri/capabilities/";

/// Says which command is missing where.
pub(super) fn judge(texts: &[Text], problems: &mut Vec<String>) -> Result<()> {
    let content = |path: &str| texts.iter().find(|text| text.path == path).map(|t| &*t.content);
    let (Some(list), Some(types)) = (content(LIST), content(TYPES)) else {
        problems.push(format!("{LIST} and {TYPES} are expected"));
        return Ok(());
    };
    let list = quoted(list);
    let typed = of_interface(types);
    let mut granted = BTreeSet::new();
    for text in texts.iter().filter(|text| text.path.starts_with(CAPABILITIES)) {
        granted.extend(of_capability(&serde_json::from_str(&text.content)?));
    }
    compare(&list, &granted, "any capability", problems);
    compare(&granted, &list, LIST, problems);
    compare(&typed, &list, LIST, problems);
    Ok(())
}

fn compare(
    all: &BTreeSet<String>,
    present: &BTreeSet<String>,
    absent_from: &str,
    problems: &mut Vec<String>,
) {
    for name in all.difference(present) {
        problems.push(format!("command `{name}`: not in {absent_from}"));
    }
}

/// Every text in quotation marks that can be a command's name.
fn quoted(source: &str) -> BTreeSet<String> {
    let is_name =
        |text: &&str| !text.is_empty() && text.chars().all(|c| c == '_' || c.is_ascii_lowercase());
    source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(is_name)
        .map(str::to_owned)
        .collect()
}

/// The keys of the type `Commands`. Those of its members stand further in.
fn of_interface(types: &str) -> BTreeSet<String> {
    let after = types.split_once("export type Commands = {").map_or("", |(_, after)| after);
    let inside = after.split_once("\n}").map_or(after, |(inside, _)| inside);
    inside
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(": {"))
        .filter(|(name, _)| name.chars().all(|c| c == '_' || c.is_ascii_lowercase()))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The commands that a capability grants: `allow-agent-list` is `agent_list`.
fn of_capability(capability: &Value) -> BTreeSet<String> {
    let permissions = capability.get("permissions").and_then(Value::as_array);
    permissions
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(|name| name.strip_prefix("allow-"))
        .map(|name| name.replace('-', "_"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str, content: &str) -> Text {
        Text { path: path.to_owned(), content: content.to_owned() }
    }

    #[test]
    fn a_command_without_a_capability_is_named_and_the_other_way_round() {
        let texts = [
            text(LIST, "pub const COMMANDS: &[&str] = &[\"agent_list\", \"lock\"];"),
            text(TYPES, "export type Commands = {\n  agent_list: { args: {} }\n  lock: { }\n}\n"),
            text(
                "src-tauri/capabilities/main.json",
                r#"{"permissions": ["core:default", "allow-lock", "allow-unlock"]}"#,
            ),
        ];
        let mut problems = Vec::new();
        judge(&texts, &mut problems).unwrap();
        assert_eq!(
            problems,
            [
                "command `agent_list`: not in any capability",
                "command `unlock`: not in src-tauri/src/commands_list.rs"
            ]
        );
    }
}

//! What the core answered: JSON, read member by member.

use serde_json::Value;

use crate::span;

/// The text at a pointer such as `/gateway/url`; nothing where there is none.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}

/// The members of a list, or of the list at a pointer.
pub(crate) fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The names in a list of `{ "name": ... }`, separated by commas.
pub(crate) fn names(value: &Value, pointer: &str) -> String {
    let names: Vec<String> = list(value, pointer).iter().map(|one| text(one, "/name")).collect();
    names.join(", ")
}

/// A moment without its milliseconds, as people write it: `2026-07-28 09:30:00Z`.
pub(crate) fn moment(value: &Value, pointer: &str) -> String {
    let text = text(value, pointer);
    match text.split_once('T') {
        Some((day, time)) => {
            let time = time.trim_end_matches('Z').split('.').next().unwrap_or_default().to_owned();
            format!("{day} {time}Z")
        }
        None => text,
    }
}

/// How often something may be called, as it is written on the command line: `60/1m`, `none`.
pub(crate) fn rate(value: &Value) -> String {
    let number = |pointer: &str| value.pointer(pointer).and_then(Value::as_u64);
    match (number("/rate/calls"), number("/rate/secs")) {
        (Some(calls), Some(secs)) => format!("{calls}/{}", span::shown(secs)),
        (None, _) | (_, None) => "none".to_owned(),
    }
}

/// The object without some of its members.
pub(crate) fn without(mut value: Value, members: &[&str]) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|name, _| !members.contains(&name.as_str()));
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_are_shown_in_utc_to_the_second() {
        let value = json!({ "at": "2026-07-28T09:30:00.042Z", "no": null });
        assert_eq!(moment(&value, "/at"), "2026-07-28 09:30:00Z");
        assert_eq!(moment(&value, "/no"), "");
    }
}

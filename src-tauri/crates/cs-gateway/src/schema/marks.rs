//! Arguments that a tool wants to see in a header of the request as well (`x-mcp-header`), and
//! whether the two say the same.
//!
//! Nothing is ever decided on such a header. It is for those on the way; here it is only held
//! against the argument that it repeats.

use std::collections::HashSet;

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::SchemaFault;
use crate::wire::{says, written};

const PREFIX: &str = "mcp-param-";

/// The integers that every JSON reader holds exactly.
const MOST_SAFE: f64 = 9_007_199_254_740_991.0;

/// An argument that is repeated in a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    header: String,
    path: Vec<String>,
}

/// Reads what one part of a schema says of a header. `place` are the names that lead to it.
pub(super) fn read(
    schema: &Map<String, Value>,
    place: Option<&[String]>,
) -> Result<Option<Mark>, SchemaFault> {
    let Some(name) = schema.get("x-mcp-header") else { return Ok(None) };
    let refused = |why: &str| Err(SchemaFault::new(format!("an `x-mcp-header` {why}")));
    let name = name.as_str().unwrap_or_default();
    let header = HeaderName::from_bytes(format!("{PREFIX}{name}").as_bytes());
    let Some(header) = header.ok().filter(|_| !name.is_empty()) else {
        return refused("is not a name that a header can have");
    };
    let kind = schema.get("type").and_then(Value::as_str);
    if !matches!(kind, Some("boolean" | "integer" | "string")) {
        return refused(
            "stands at an argument that is neither a string nor an integer nor a boolean",
        );
    }
    let secret = schema.get("format").and_then(Value::as_str) == Some("password")
        || schema.get("writeOnly").and_then(Value::as_bool) == Some(true);
    if secret {
        return refused("stands at an argument that is a secret");
    }
    match place {
        Some(path @ [_, ..]) => {
            Ok(Some(Mark { header: header.as_str().to_owned(), path: path.to_vec() }))
        }
        Some([]) | None => refused("stands where more than `properties` leads to it"),
    }
}

/// Checks that no two arguments want the same header.
pub(super) fn check_unique(marks: &[Mark]) -> Result<(), SchemaFault> {
    let mut seen = HashSet::new();
    if marks.iter().all(|mark| seen.insert(mark.header.as_str())) {
        Ok(())
    } else {
        Err(SchemaFault::new("two arguments have the same `x-mcp-header`"))
    }
}

/// Whether the headers repeat the arguments: each once, and only where there is something to
/// repeat. Headers that no argument asks for mean nothing.
pub(super) fn agree(
    marks: &[Mark],
    headers: &[(HeaderName, HeaderValue)],
    arguments: &Value,
) -> bool {
    marks.iter().all(|mark| {
        let mut given = headers.iter().filter(|(name, _)| name.as_str() == mark.header);
        let (first, second) = (given.next(), given.next());
        let value = mark.path.iter().try_fold(arguments, |value, name| value.get(name));
        match (value, first, second) {
            (None | Some(Value::Null), None, None) => true,
            (Some(value), Some((_, header)), None) => {
                header.to_str().is_ok_and(|header| repeats(header, value))
            }
            _ => false,
        }
    })
}

/// The headers that repeat these arguments. What cannot be repeated exactly is left out, and the
/// server refuses the call.
pub(super) fn repeat(marks: &[Mark], arguments: &Value) -> Vec<(HeaderName, HeaderValue)> {
    let header = |mark: &Mark| {
        let value = mark.path.iter().try_fold(arguments, |value, name| value.get(name))?;
        let text = match value {
            Value::String(text) => written(text),
            Value::Bool(truth) => truth.to_string(),
            Value::Number(number) => {
                format!("{:.0}", number.as_f64().filter(|it| it.abs() <= MOST_SAFE)? + 0.0)
            }
            Value::Array(_) | Value::Null | Value::Object(_) => return None,
        };
        let name = HeaderName::from_bytes(mark.header.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(&text).ok()?))
    };
    marks.iter().filter_map(header).collect()
}

fn repeats(header: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => says(header, text),
        Value::Bool(truth) => says(header, if *truth { "true" } else { "false" }),
        Value::Number(number) => {
            let digits = header.strip_prefix('-').unwrap_or(header);
            let plain = !digits.is_empty()
                && digits.bytes().all(|b| b.is_ascii_digit())
                && (!digits.starts_with('0') || header == "0");
            let safe = |it: &f64| it.abs() <= MOST_SAFE;
            plain && number.as_f64().filter(safe) == header.parse().ok()
        }
        Value::Array(_) | Value::Null | Value::Object(_) => false,
    }
}

//! Names for parts of a schema (`$anchor`), turned into the places that they stand for.
//!
//! No part of a schema here has an `$id`, so all of it is one resource: a name means one place,
//! and what would be looked up dynamically is found where it stands. After this every reference is
//! a path, which everybody who follows it follows alike.

use std::collections::HashMap;

use jsonschema::Draft;
use serde_json::{Map, Value};

use super::SchemaFault;
use super::graph::parts;

const MARKS: [&str; 2] = ["$anchor", "$dynamicAnchor"];

/// Puts paths in the place of names. What leads to no name stays as it is.
pub(super) fn resolve(schema: &mut Value, draft: Draft) -> Result<(), SchemaFault> {
    if !matches!(draft, Draft::Draft201909 | Draft::Draft202012) {
        return Ok(());
    }
    let mut names = HashMap::new();
    collect(schema, "", &mut names)?;
    rewrite(schema, draft, &names);
    Ok(())
}

/// Takes the names out of a part and of all that stands in it.
fn collect(
    schema: &mut Value,
    place: &str,
    names: &mut HashMap<String, String>,
) -> Result<(), SchemaFault> {
    if let Value::Object(members) = schema {
        for mark in MARKS {
            let Some(name) = members.shift_remove(mark) else { continue };
            let name = name.as_str().filter(|name| is_name(name));
            let name = name.ok_or_else(|| SchemaFault::new("an anchor is not a plain name"))?;
            let known = names.insert(name.to_owned(), place.to_owned());
            if known.is_some_and(|known| known != place) {
                return Err(SchemaFault::new("two of its parts have the same anchor"));
            }
        }
    }
    for (step, part) in parts(schema) {
        collect(part, &format!("{place}{step}"), names)?;
    }
    Ok(())
}

fn rewrite(schema: &mut Value, draft: Draft, names: &HashMap<String, String>) {
    if let Value::Object(members) = schema {
        if draft == Draft::Draft201909 && members.get("$recursiveAnchor") == Some(&true.into()) {
            members.shift_remove("$recursiveAnchor");
        }
        let other = if draft == Draft::Draft201909 { "$recursiveRef" } else { "$dynamicRef" };
        for key in ["$ref", other] {
            lead(members, key, names);
        }
    }
    for (_, part) in parts(schema) {
        rewrite(part, draft, names);
    }
}

/// Has a reference say the path that it leads to, as a `$ref`.
fn lead(members: &mut Map<String, Value>, key: &str, names: &HashMap<String, String>) {
    let Some(said) = members.get(key).and_then(Value::as_str) else { return };
    let Some(fragment) = said.strip_prefix('#') else { return };
    let path = match names.get(fragment) {
        Some(place) => format!("#{place}"),
        None if fragment.is_empty() || fragment.starts_with('/') => said.to_owned(),
        None => return,
    };
    // Both at once are two looks at the same value, which one keyword cannot say.
    if key != "$ref" && members.contains_key("$ref") {
        return;
    }
    members.shift_remove(key);
    members.insert("$ref".to_owned(), path.into());
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_');
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(plain)
}

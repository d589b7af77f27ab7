//! What the gateway answers by itself, without asking anybody behind it.

use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::answer::{self, Answer, SESSION};
use crate::authz;
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::session::Live;
use crate::wire::{Era, Id, LATEST_LEGACY, MODERN, Members, is_legacy};

const INSTRUCTIONS: &str = "Tools marked for countersignature wait for a person: the call stays \
    open until somebody approves or denies it.";

/// Who answers. The name of the product; not a claim about the servers behind it.
fn server_info() -> serde_json::Value {
    json!({ "name": "countersign", "version": env!("CARGO_PKG_VERSION") })
}

fn ok(id: &Id, result: &str) -> Answer {
    answer::json(StatusCode::OK, answer::result(id, result))
}

/// Answers `initialize`: with the revision that was asked for, if it is spoken here, else with
/// the latest of the older era.
pub(crate) fn initialized(id: &Id, requested: &str, wire_id: &str) -> Answer {
    let version = if is_legacy(requested) { requested } else { LATEST_LEGACY };
    let result = json!({
        "protocolVersion": version,
        "capabilities": { "tools": { "listChanged": true } },
        "serverInfo": server_info(),
        "instructions": INSTRUCTIONS,
    });
    let mut answer = ok(id, &result.to_string());
    if let Ok(wire_id) = HeaderValue::from_str(wire_id) {
        answer.headers_mut().insert(SESSION, wire_id);
    }
    answer
}

/// Answers `server/discover`.
pub(crate) fn discover(id: &Id) -> Answer {
    let result = json!({
        "resultType": "complete",
        "supportedVersions": [MODERN],
        "capabilities": { "tools": { "listChanged": true } },
        "instructions": INSTRUCTIONS,
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": { "io.modelcontextprotocol/serverInfo": server_info() },
    });
    ok(id, &result.to_string())
}

/// Answers `ping`.
pub(crate) fn pong(id: &Id) -> Answer {
    ok(id, "{}")
}

/// Answers `tools/list`: exactly the tools that could be called now, with the definitions that an
/// administrator accepted, byte for byte but for the name.
pub(crate) fn tools(gate: &Gate, live: &Live, era: Era, id: &Id) -> Result<Answer, Refusal> {
    let listed = authz::visible(gate, live);
    let mut tools = String::new();
    for (name, definition) in &listed {
        // A definition that cannot be named is not listed; it could not be called either.
        let Some(named) = renamed(definition, name) else { continue };
        if !tools.is_empty() {
            tools.push(',');
        }
        tools.push_str(&named);
    }
    let result = match era {
        Era::Legacy => format!("{{\"tools\":[{tools}]}}"),
        Era::Modern => format!(
            "{{\"resultType\":\"complete\",\"tools\":[{tools}],\"ttlMs\":0,\
             \"cacheScope\":\"private\"}}"
        ),
    };
    Ok(ok(id, &result))
}

/// A definition under another name. Nothing else of it changes.
fn renamed(definition: &str, name: &str) -> Option<String> {
    let old = Members::read(definition)?.get("name")?;
    let start = old.get().as_ptr().addr().checked_sub(definition.as_ptr().addr())?;
    let (before, rest) = definition.split_at_checked(start)?;
    let after = rest.strip_prefix(old.get())?;
    let name = serde_json::Value::from(name);
    Some(format!("{before}{name}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_listed_byte_for_byte_but_for_its_name() {
        let definition =
            "{ \"title\":\"name\",\"x\":{\"name\":1.0}, \"name\" : \"read_file\" ,\"n\":1e2}";
        let named = renamed(definition, "files__read_file").unwrap();
        assert_eq!(
            named,
            "{ \"title\":\"name\",\"x\":{\"name\":1.0}, \"name\" : \"files__read_file\" ,\"n\":1e2}"
        );
        assert_eq!(renamed("{}", "x"), None);
    }
}

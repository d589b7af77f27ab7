//! What the gateway answers by itself, without asking anybody behind it.

use cs_model::Kind;
use cs_policy::Allowlist;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::answer::{self, Answer, SESSION};
use crate::authz;
use crate::gate::Gate;
use crate::item;
use crate::session::Live;
use crate::upstream::EXTENSION;
use crate::wire::{Era, Id, LATEST_LEGACY, MODERN, Members, is_legacy};

const INSTRUCTIONS: &str = "Tools marked for countersignature wait for a person: the call stays \
    open until somebody approves or denies it.";

/// Who answers. The name of the product; not a claim about the servers behind it.
fn server_info() -> Value {
    json!({ "name": "countersign", "version": env!("CARGO_PKG_VERSION") })
}

/// What a session with this allowlist can ever be asked for. Tools are always spoken of.
fn capabilities(allowlist: &Allowlist) -> Value {
    let has = |kind| allowlist.of_kind(kind).next().is_some();
    let told = json!({ "listChanged": true });
    let watched = json!({ "listChanged": true, "subscribe": true });
    let all = [
        ("completions", has(Kind::Prompt) || has(Kind::Template), json!({})),
        ("logging", true, json!({})),
        ("prompts", has(Kind::Prompt), told.clone()),
        ("resources", has(Kind::Resource) || has(Kind::Template), watched),
        ("tools", true, told),
    ];
    let all = all.into_iter().filter(|(_, has, _)| *has);
    all.map(|(name, _, what)| (name.to_owned(), what)).collect()
}

/// An answer that is this message.
pub(crate) fn ok(message: String) -> Answer {
    answer::json(StatusCode::OK, message)
}

/// Answers `initialize`: with the revision that was asked for, if it is spoken here, else with
/// the latest of the older era.
pub(crate) fn initialized(id: &Id, requested: &str, live: &Live, wire_id: &str) -> Answer {
    let version = if is_legacy(requested) { requested } else { LATEST_LEGACY };
    let result = json!({
        "protocolVersion": version,
        "capabilities": live.judge(|session| capabilities(&session.allowlist)),
        "serverInfo": server_info(),
        "instructions": INSTRUCTIONS,
    });
    let mut answer = ok(answer::result(id, &result.to_string()));
    if let Ok(wire_id) = HeaderValue::from_str(wire_id) {
        answer.headers_mut().insert(SESSION, wire_id);
    }
    answer
}

/// Answers `server/discover`, for a caller whose session would have this allowlist. A call of any
/// tool may be answered with an errand: a person may have to be asked, or its server has some.
pub(crate) fn discover(id: &Id, allowlist: &Allowlist) -> Answer {
    let mut capabilities = capabilities(allowlist);
    if let (Some(_), Some(all)) =
        (allowlist.of_kind(Kind::Tool).next(), capabilities.as_object_mut())
    {
        all.insert("extensions".to_owned(), json!({ EXTENSION: {} }));
    }
    let result = json!({
        "resultType": "complete",
        "supportedVersions": [MODERN],
        "capabilities": capabilities,
        "instructions": INSTRUCTIONS,
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": { "io.modelcontextprotocol/serverInfo": server_info() },
    });
    ok(answer::result(id, &result.to_string()))
}

/// Answers `ping`.
pub(crate) fn pong(id: &Id) -> Answer {
    ok(answer::result(id, "{}"))
}

/// The result of a listing: exactly what could be called now, with the definitions that an administrator
/// accepted, byte for byte but for the name.
pub(crate) fn listed(gate: &Gate, live: &Live, era: Era, kind: Kind) -> String {
    let mut all = String::new();
    for (name, definition) in &authz::visible(gate, live, kind) {
        // A definition that cannot be named is not listed; it could not be called either.
        let Some(named) = renamed(definition, item::key(kind), name) else { continue };
        if !all.is_empty() {
            all.push(',');
        }
        all.push_str(&named);
    }
    let plural = item::plural(kind);
    match era {
        Era::Legacy => format!("{{\"{plural}\":[{all}]}}"),
        Era::Modern => format!(
            "{{\"resultType\":\"complete\",\"{plural}\":[{all}],\"ttlMs\":0,\
             \"cacheScope\":\"private\"}}"
        ),
    }
}

/// A definition under another name. Nothing else of it changes.
fn renamed(definition: &str, key: &str, name: &str) -> Option<String> {
    let old = Members::read(definition)?.get(key)?;
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
        let named = renamed(definition, "name", "files__read_file").unwrap();
        assert_eq!(
            named,
            "{ \"title\":\"name\",\"x\":{\"name\":1.0}, \"name\" : \"files__read_file\" ,\"n\":1e2}"
        );
        assert_eq!(renamed("{}", "name", "x"), None);
    }
}

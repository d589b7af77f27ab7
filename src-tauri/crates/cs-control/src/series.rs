//! What a series of approvals is signed for: the schema of the arguments, made exact.
//!
//! What nobody mentions has no place: a schema of some members closes the object against others,
//! unless it says something of them itself. One that would take whatever comes is refused, unless
//! somebody says that this is meant.

use cs_model::json::{self, Limits};
use cs_model::{Condition, Grant};
use cs_policy::NoSeries;
use serde_json::{Map, Value, json};

use crate::condition::{MOST_BYTES, tighten};
use crate::failure::ControlError;

/// Keywords by which a schema says itself what becomes of members that it does not name.
const SAID: &[&str] = &[
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "oneOf",
    "patternProperties",
    "unevaluatedProperties",
];

/// The schema of a series, in canonical form: the one that is wanted, or else exactly these
/// arguments, or else whatever comes, where that is said to be meant.
pub(crate) fn schema(
    wanted: Option<&str>,
    exactly: Option<&str>,
    any: bool,
) -> Result<String, ControlError> {
    let wrong = |rule: String| ControlError::invalid("schema", rule);
    let mut schema = match (wanted, exactly) {
        (Some(text), _) => read(text)?,
        (None, _) if any => {
            let mut open = Map::new();
            open.insert("type".to_owned(), "object".into());
            open
        }
        (None, Some(arguments)) => exact(arguments)?,
        (None, None) => {
            return Err(wrong("say which arguments it is for: a JSON Schema".to_owned()));
        }
    };
    tighten(&mut schema);
    if !any {
        close(&mut schema);
    }
    let text = Value::Object(schema).to_string();
    let schema = json::canonical(&text, Limits::default());
    let schema = schema.map_err(|error| wrong(error.to_string()))?;
    if schema.len() > MOST_BYTES {
        return Err(wrong("a schema has at most 16 KiB".to_owned()));
    }
    cs_gateway::examine_condition(&schema)
        .map_err(|fault| wrong(fault.to_string().replace("its input schema", "the schema")))?;
    if !any && takes_anything(&schema) {
        let rule = "arguments that nobody thought of satisfy it; say so if any are meant";
        return Err(wrong(rule.to_owned()));
    }
    Ok(schema)
}

fn read(text: &str) -> Result<Map<String, Value>, ControlError> {
    let wrong = |rule: String| ControlError::invalid("schema", rule);
    if text.len() > MOST_BYTES {
        return Err(wrong("a schema has at most 16 KiB".to_owned()));
    }
    json::check(text, Limits::default()).map_err(|error| wrong(error.to_string()))?;
    match serde_json::from_str(text) {
        Ok(Value::Object(schema)) => Ok(schema),
        Ok(_) | Err(_) => Err(wrong("what a series is for is a JSON Schema: an object".to_owned())),
    }
}

/// The schema that exactly these arguments satisfy.
fn exact(arguments: &str) -> Result<Map<String, Value>, ControlError> {
    let read = serde_json::from_str(arguments);
    let arguments: Map<String, Value> =
        read.map_err(|source| ControlError::internal("read the arguments of the call", source))?;
    let constant = |value: Value| json!({ "const": value });
    let properties: Map<String, Value> =
        arguments.into_iter().map(|(name, value)| (name, constant(value))).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), Value::Object(properties));
    Ok(schema)
}

/// Gives what a schema does not mention no place, at each level whose members it names.
fn close(schema: &mut Map<String, Value>) {
    let says = schema.keys().any(|key| SAID.contains(&key.as_str()));
    for each in ["additionalProperties", "contains", "items"] {
        if let Some(Value::Object(rule)) = schema.get_mut(each) {
            close(rule);
        }
    }
    if let Some(Value::Array(places)) = schema.get_mut("prefixItems") {
        places.iter_mut().filter_map(Value::as_object_mut).for_each(close);
        // Nothing comes after what was named.
        schema.entry("items").or_insert(Value::Bool(false));
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().filter_map(Value::as_object_mut).for_each(close);
        if !says && !schema.contains_key("additionalProperties") {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
    }
}

/// Whether a schema takes no arguments at all as well as some that nobody thought of.
fn takes_anything(schema: &str) -> bool {
    let schema = Condition { schema: schema.to_owned(), otherwise: Grant::Deny };
    let odd = r#"{"Nobody calls an argument this":[{"or":"gives it this"},7]}"#;
    ["{}", odd].into_iter().all(|arguments| cs_gateway::satisfies(&schema, Some(arguments)))
}

/// Why each call of a tool is signed on its own, for a person.
pub(crate) fn no_series(why: NoSeries) -> String {
    match why {
        NoSeries::Approvers => "its calls take several operators",
        NoSeries::Destroys => "it is marked as able to destroy",
        NoSeries::Presence => "each signature for it takes the passphrase",
        NoSeries::Reason => "each signature for it takes a reason",
        NoSeries::SendsOut => "it is marked as able to send data out",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(schema: &str, arguments: &str) -> bool {
        let schema = Condition { schema: schema.to_owned(), otherwise: Grant::Deny };
        cs_gateway::satisfies(&schema, Some(arguments))
    }

    #[test]
    fn o17_exactly_the_arguments_that_were_seen_satisfy_what_is_proposed() {
        let seen = r#"{"deep":{"$ref":"x","n":1},"list":[1,"a"],"n":1,"path":"a/ b"}"#;
        let schema = schema(None, Some(seen), false).unwrap();
        assert!(fits(&schema, seen), "{schema}");
        for other in [
            "{}",
            r#"{"deep":{"$ref":"x","n":1},"list":[1,"a"],"n":1}"#,
            r#"{"deep":{"$ref":"x","n":1},"list":[1,"a"],"n":1,"path":"a/ b","force":true}"#,
            r#"{"deep":{"$ref":"x","n":2},"list":[1,"a"],"n":1,"path":"a/ b"}"#,
            r#"{"deep":{"$ref":"x","n":1,"m":1},"list":[1,"a"],"n":1,"path":"a/ b"}"#,
            r#"{"deep":{"$ref":"x","n":1},"list":["a",1],"n":1,"path":"a/ b"}"#,
            r#"{"deep":{"$ref":"x","n":1},"list":[1,"a"],"n":"1","path":"a/ b"}"#,
            r#"{"deep":{"$ref":"x","n":1},"list":[1,"a"],"n":1,"path":"a/ B"}"#,
        ] {
            assert!(!fits(&schema, other), "{other}");
        }
        let none = super::schema(None, Some("{}"), false).unwrap();
        assert!(fits(&none, "{}") && !fits(&none, r#"{"force":true}"#));
    }

    #[test]
    fn o17_what_a_schema_does_not_mention_has_no_place_unless_it_says_so() {
        let closed =
            schema(Some(r#"{"properties":{"path":{"pattern":"^a"}}}"#), None, false).unwrap();
        assert_eq!(
            closed,
            r#"{"additionalProperties":false,"properties":{"path":{"pattern":"^a","type":"string"}},"required":["path"],"type":"object"}"#
        );
        let deep = r#"{"properties":{"in":{"properties":{"env":{"const":"test"}}}}}"#;
        let deep = schema(Some(deep), None, false).unwrap();
        assert!(fits(&deep, r#"{"in":{"env":"test"}}"#));
        assert!(!fits(&deep, r#"{"in":{"env":"test","more":1}}"#));
        let open = r#"{"additionalProperties":true,"properties":{"path":{"const":"a"}}}"#;
        let open = schema(Some(open), None, false).unwrap();
        assert!(fits(&open, r#"{"path":"a","more":1}"#));
    }

    #[test]
    fn o17_a_schema_that_takes_whatever_comes_has_to_be_meant() {
        for wide in [
            "{}",
            r#"{"type":"object"}"#,
            r#"{"additionalProperties":true}"#,
            r#"{"not":{"required":["force"]}}"#,
            r#"{"anyOf":[{}]}"#,
            r#"{"minProperties":0}"#,
        ] {
            let refused = schema(Some(wide), None, false).unwrap_err().to_string();
            assert!(refused.contains("nobody thought of"), "{wide}: {refused}");
            assert!(schema(Some(wide), None, true).is_ok(), "{wide}");
        }
        let meant = schema(None, None, true).unwrap();
        assert!(fits(&meant, "{}") && fits(&meant, r#"{"x":[1]}"#));
        assert!(schema(None, None, false).is_err());
        for wrong in
            ["7", "{\"a\":1,\"a\":2}", "{\"type\":\"objekt\"}", "{\"$ref\":\"https://a.b\"}"]
        {
            assert!(schema(Some(wrong), None, true).is_err(), "{wrong}");
        }
    }
}

//! Conditions of cells: what an operator writes, made exact.
//!
//! A JSON Schema says nothing of what it does not mention: `{"properties": {"amount": {"maximum":
//! 100}}}` holds for a call without an amount, and for one whose amount is a text. A person who
//! writes that means neither. So what has a rule has to be there, and to be of the kind that the
//! rule is about; what was made of the text is what is stored, shown and enforced.

use cs_model::json::{self, Limits};
use cs_model::{Condition, Grant};
use serde_json::{Map, Value};

use crate::failure::ControlError;

/// The most bytes of a schema.
pub(crate) const MOST_BYTES: usize = 16 * 1024;

/// Which kind of value a keyword is about.
const KINDS: &[(&str, &[&str])] = &[
    ("number", &["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"]),
    ("string", &["maxLength", "minLength", "pattern"]),
    ("array", &["contains", "items", "maxItems", "minItems", "prefixItems", "uniqueItems"]),
    ("object", OF_OBJECTS),
];

const OF_OBJECTS: &[&str] =
    &["additionalProperties", "maxProperties", "minProperties", "properties"];

/// Keywords by which a value is said to be of a kind already.
const SAID: &[&str] = &["$ref", "allOf", "anyOf", "const", "enum", "not", "oneOf", "type"];

/// Reads the condition of a cell.
pub(crate) fn read(text: &str, otherwise: Grant, cell: Grant) -> Result<Condition, ControlError> {
    let wrong = |rule: String| ControlError::invalid("condition", rule);
    if text.len() > MOST_BYTES {
        return Err(wrong("a condition has at most 16 KiB".to_owned()));
    }
    json::check(text, Limits::default()).map_err(|error| wrong(error.to_string()))?;
    let Ok(Value::Object(mut schema)) = serde_json::from_str(text) else {
        return Err(wrong("a condition is a JSON Schema: an object".to_owned()));
    };
    if schema.is_empty() {
        return Err(wrong("an empty schema is no condition".to_owned()));
    }
    if otherwise >= cell {
        let rule = format!("a cell that says {cell} has to say less to other arguments");
        return Err(ControlError::invalid("otherwise", rule));
    }
    tighten(&mut schema);
    let text = Value::Object(schema).to_string();
    let schema = json::canonical(&text, Limits::default());
    let schema = schema.map_err(|error| wrong(error.to_string()))?;
    cs_gateway::examine_condition(&schema)
        .map_err(|fault| wrong(fault.to_string().replace("its input schema", "the schema")))?;
    Ok(Condition { schema, otherwise })
}

/// Says of an object what its rules take for granted.
pub(crate) fn tighten(schema: &mut Map<String, Value>) {
    if !schema.keys().any(|key| SAID.contains(&key.as_str())) {
        schema.insert("type".to_owned(), "object".into());
    }
    if let Some(Value::Object(rule)) = schema.get_mut("additionalProperties") {
        make_exact(rule);
    }
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    properties.values_mut().filter_map(Value::as_object_mut).for_each(make_exact);
    let named: Vec<Value> = properties.keys().map(|name| name.as_str().into()).collect();
    let required = schema.entry("required").or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(required) = required {
        let missing: Vec<_> = named.into_iter().filter(|name| !required.contains(name)).collect();
        required.extend(missing);
    }
}

/// Says of a value what the rules about it take for granted, however deep it stands.
fn make_exact(rule: &mut Map<String, Value>) {
    let has = |rule: &Map<String, Value>, words: &[&str]| {
        rule.keys().any(|key| words.contains(&key.as_str()))
    };
    match KINDS.iter().find(|(_, keywords)| has(rule, keywords)) {
        Some(("object", _)) | None => {}
        Some((kind, _)) if !has(rule, SAID) => {
            rule.insert("type".to_owned(), (*kind).into());
        }
        Some(_) => {}
    }
    if has(rule, OF_OBJECTS) {
        tighten(rule);
    }
    for each in ["contains", "items"] {
        if let Some(Value::Object(rule)) = rule.get_mut(each) {
            make_exact(rule);
        }
    }
    if let Some(Value::Array(places)) = rule.get_mut("prefixItems") {
        let count = places.len();
        places.iter_mut().filter_map(Value::as_object_mut).for_each(make_exact);
        // A list that is shorter has nothing in the places that the rules are about.
        rule.entry("minItems").or_insert_with(|| count.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str) -> String {
        read(text, Grant::Token, Grant::Allow).unwrap().schema
    }

    #[test]
    fn x18_what_has_a_rule_has_to_be_there_and_of_the_kind_that_the_rule_is_about() {
        assert_eq!(
            made(r#"{"properties":{"amount":{"maximum":100},"to":{"pattern":"^x"}}}"#),
            r#"{"properties":{"amount":{"maximum":100,"type":"number"},"to":{"pattern":"^x","type":"string"}},"required":["amount","to"],"type":"object"}"#
        );
        assert_eq!(
            made(r#"{"properties":{"in":{"properties":{"env":{"const":"test"}}}}}"#),
            r#"{"properties":{"in":{"properties":{"env":{"const":"test"}},"required":["env"],"type":"object"}},"required":["in"],"type":"object"}"#
        );
        assert_eq!(
            made(r#"{"properties":{"to":{"items":{"properties":{"at":{"const":"x"}}}}}}"#),
            r#"{"properties":{"to":{"items":{"properties":{"at":{"const":"x"}},"required":["at"],"type":"object"},"type":"array"}},"required":["to"],"type":"object"}"#
        );
        assert_eq!(
            made(r#"{"properties":{"to":{"prefixItems":[{"pattern":"^x"}]}}}"#),
            r#"{"properties":{"to":{"minItems":1,"prefixItems":[{"pattern":"^x","type":"string"}],"type":"array"}},"required":["to"],"type":"object"}"#
        );
        assert_eq!(
            made(r#"{"additionalProperties":{"maximum":9}}"#),
            r#"{"additionalProperties":{"maximum":9,"type":"number"},"type":"object"}"#
        );
        // Who says more knows more.
        let own = r#"{"anyOf":[{"required":["a"]},{"maxProperties":0}]}"#;
        assert_eq!(made(own), own);
    }

    #[test]
    fn what_is_no_condition_is_refused_and_said_to_be() {
        for (text, otherwise, cell) in [
            ("7", Grant::Deny, Grant::Allow),
            ("{}", Grant::Deny, Grant::Allow),
            ("{\"a\":1,\"a\":2}", Grant::Deny, Grant::Allow),
            ("{\"type\":\"objekt\"}", Grant::Deny, Grant::Allow),
            ("{\"$ref\":\"https://example.org/s\"}", Grant::Deny, Grant::Allow),
            ("{\"type\":\"object\"}", Grant::Allow, Grant::Allow),
            ("{\"type\":\"object\"}", Grant::Token, Grant::Token),
            ("{\"type\":\"object\"}", Grant::Deny, Grant::Deny),
        ] {
            assert!(read(text, otherwise, cell).is_err(), "{text} {otherwise} {cell}");
        }
    }
}

//! What may be said to a prompt, and of a thing whose arguments are completed.

use std::collections::BTreeMap;

use cs_model::text::neutralise;
use cs_model::{Kind, ToolName, UriTemplate};
use cs_policy::Act;
use serde::Deserialize;

use crate::schema::SchemaFault;
use crate::wire::Members;

/// The most arguments of a prompt.
const MOST: usize = 100;

/// The most characters of an argument's name that is repeated.
const MOST_NAME: usize = 64;

/// The arguments that a prompt declares, and whether each has to be there.
pub(super) fn declared(definition: &str) -> Result<BTreeMap<String, bool>, SchemaFault> {
    #[derive(Deserialize)]
    struct Definition {
        #[serde(default)]
        arguments: Option<Vec<Argument>>,
    }

    #[derive(Deserialize)]
    struct Argument {
        name: String,
        #[serde(default)]
        required: Option<bool>,
    }
    super::named(Kind::Prompt, definition)?;
    let read: Definition = serde_json::from_str(definition)
        .map_err(|_| SchemaFault::new("its `arguments` are not a list of named arguments"))?;
    let all = read.arguments.unwrap_or_default();
    if all.len() > MOST {
        return Err(SchemaFault::new("it has more than 100 arguments"));
    }
    let mut declared = BTreeMap::new();
    for Argument { name, required } in all {
        if declared.insert(name, required.unwrap_or(false)).is_some() {
            return Err(SchemaFault::new("it declares one argument twice"));
        }
    }
    Ok(declared)
}

/// What the arguments of a call are held against, and by what it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fitting<'t> {
    pub(crate) kind: Kind,
    pub(crate) act: Act,
    pub(crate) name: &'t ToolName,
    pub(crate) definition: &'t str,
}

/// Holds what is said to anything but a tool against its pinned definition. The arguments are
/// those that the envelope was read into: an object, or nothing.
///
/// # Errors
///
/// A sentence for the agent.
pub(crate) fn fits(thing: Fitting<'_>, arguments: Option<&str>) -> Result<(), String> {
    let broken = |why: SchemaFault| why.to_string();
    match (thing.act, thing.kind) {
        // What is read was read from the envelope: a URI.
        (Act::Use, Kind::Resource | Kind::Template | Kind::Tool) => Ok(()),
        (Act::Use, Kind::Prompt) => {
            let declared = declared(thing.definition).map_err(broken)?;
            let said = strings(arguments.unwrap_or("{}"))?;
            let missing = declared.iter().find(|(name, must)| **must && !said.contains(name));
            match (missing, said.iter().find(|name| !declared.contains_key(*name))) {
                (Some((name, _)), _) => {
                    Err(format!("The prompt needs the argument {}", show(name)))
                }
                (None, Some(name)) => Err(format!("The prompt has no argument {}", show(name))),
                (None, None) => Ok(()),
            }
        }
        (Act::Complete, _) => {
            let known = variables(thing).map_err(broken)?;
            let said = asked_about(arguments.unwrap_or("{}"))?;
            match said.iter().find(|name| !known.contains(name)) {
                Some(name) => Err(format!("There is no argument {} to complete", show(name))),
                None => Ok(()),
            }
        }
    }
}

fn show(name: &str) -> String {
    format!("`{}`", neutralise(name, MOST_NAME))
}

/// The arguments of a prompt, or the variables of a template.
fn variables(thing: Fitting<'_>) -> Result<Vec<String>, SchemaFault> {
    match thing.kind {
        Kind::Prompt => declared(thing.definition).map(|all| all.into_keys().collect()),
        Kind::Template => {
            let read = UriTemplate::parse(thing.name.as_str());
            let read = read.map_err(|why| SchemaFault::new(why.to_string()))?;
            Ok(read.variables().map(str::to_owned).collect())
        }
        Kind::Resource | Kind::Tool => Ok(Vec::new()),
    }
}

/// The names in an object whose members are strings.
fn strings(object: &str) -> Result<Vec<String>, String> {
    let read: BTreeMap<String, String> = serde_json::from_str(object)
        .map_err(|_| "The arguments of a prompt are strings".to_owned())?;
    Ok(read.into_keys().collect())
}

/// The arguments that a completion is about: the one to complete, and those that are set.
fn asked_about(arguments: &str) -> Result<Vec<String>, String> {
    let shape = || "A completion has an argument and a context".to_owned();
    let members = Members::read(arguments).ok_or_else(shape)?;
    let mut said = match members.get("context").map(|raw| Members::read(raw.get())) {
        Some(context) => match context.ok_or_else(shape)?.get("arguments") {
            Some(set) => strings(set.get())?,
            None => Vec::new(),
        },
        None => Vec::new(),
    };
    let argument = members.object("argument").and_then(|it| it.text("name")).ok_or_else(shape)?;
    said.push(argument);
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREET: &str = r#"{"name":"greet","arguments":[
        {"name":"who","required":true},{"name":"tone","description":"t"}]}"#;

    fn greeting(act: Act, arguments: &str) -> Result<(), String> {
        let name = ToolName::of(Kind::Prompt, "greet").unwrap();
        let thing = Fitting { kind: Kind::Prompt, act, name: &name, definition: GREET };
        fits(thing, Some(arguments))
    }

    #[test]
    fn x07_a_prompt_takes_the_arguments_that_it_declared_and_no_others() {
        for (arguments, fit) in [
            (r#"{"who":"x"}"#, true),
            (r#"{"who":"x","tone":"y"}"#, true),
            ("{}", false),
            (r#"{"tone":"y"}"#, false),
            (r#"{"who":1}"#, false),
            (r#"{"who":{"a":"b"}}"#, false),
            (r#"{"who":null}"#, false),
            (r#"{"who":"x","Who":"y"}"#, false),
            (r#"{"who":"x","bcc":"y"}"#, false),
        ] {
            assert_eq!(greeting(Act::Use, arguments).is_ok(), fit, "{arguments}");
        }
    }

    #[test]
    fn x07_a_completion_is_of_a_declared_argument_in_the_light_of_declared_ones() {
        for (arguments, fit) in [
            (r#"{"argument":{"name":"who","value":"x"}}"#, true),
            (
                r#"{"argument":{"name":"tone","value":""},"context":{"arguments":{"who":"x"}}}"#,
                true,
            ),
            (r#"{"argument":{"name":"tone","value":""},"context":{}}"#, true),
            (r#"{"argument":{"name":"other","value":""}}"#, false),
            (r#"{"argument":{"name":"who","value":""},"context":{"arguments":{"x":"y"}}}"#, false),
            (r#"{"argument":{"name":"who","value":""},"context":{"arguments":{"who":1}}}"#, false),
        ] {
            assert_eq!(greeting(Act::Complete, arguments).is_ok(), fit, "{arguments}");
        }
        let name = ToolName::of(Kind::Template, "file:///{+path}").unwrap();
        let definition = r#"{"name":"f","uriTemplate":"file:///{+path}"}"#;
        let thing = Fitting { kind: Kind::Template, act: Act::Complete, name: &name, definition };
        assert!(fits(thing, Some(r#"{"argument":{"name":"path","value":""}}"#)).is_ok());
        assert!(fits(thing, Some(r#"{"argument":{"name":"who","value":""}}"#)).is_err());
    }

    #[test]
    fn a_definition_that_says_nothing_clear_is_refused() {
        for definition in [
            "{}",
            r#"{"name":"x","arguments":{}}"#,
            r#"{"name":"x","arguments":[{}]}"#,
            r#"{"name":"x","arguments":[{"name":"a"},{"name":"a"}]}"#,
            r#"{"name":" x"}"#,
        ] {
            assert!(declared(definition).is_err(), "{definition}");
        }
        assert!(declared(r#"{"name":"x"}"#).unwrap().is_empty());
    }
}

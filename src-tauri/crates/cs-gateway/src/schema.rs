//! What a tool takes: its pinned `inputSchema`, compiled once, and what does not fit it.
//!
//! A schema comes from a server, which may be hostile, and what is held against it from an agent,
//! which may be too. So nothing is ever fetched for one, its patterns match in linear time, and
//! `graph` bounds how much work the two can make together. A schema without such a bound is
//! refused, and its tool is treated as one that is not there.

mod anchors;
mod graph;
mod marks;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cs_model::Digest;
use cs_model::json::{self, Limits};
use cs_model::text::neutralise;
use http::{HeaderName, HeaderValue};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value};

use self::graph::Bounds;
use self::marks::Mark;

/// The most bytes of a definition, and how deep it may nest.
const MOST_BYTES: usize = 256 * 1024;
const SHAPE: Limits = Limits { depth: 64, members: 20_000, key: 1024 };

/// The most bytes that one compiled pattern takes.
const PATTERN_BYTES: usize = 512 * 1024;

/// A schema is compiled on a stack of its own: it may be deep.
const STACK: usize = 64 * 1024 * 1024;

/// How much may be looked at for one call, how much of it in order to say more than a no, and how
/// deep that may go.
const MOST_STEPS: u64 = 20_000_000;
const MOST_STEPS_TOLD: u64 = 200_000;
const MOST_DEPTH: u64 = 1024;

/// The most characters of what is said of arguments that do not fit.
const MOST_SAID: usize = 300;

/// How many definitions are kept compiled.
const KEPT: usize = 4096;

/// Why a definition cannot be used. A sentence for the administrator.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("its definition is refused: {0}")]
pub struct SchemaFault(String);

impl SchemaFault {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Checks that a tool with this definition could be called at all.
///
/// # Errors
///
/// Why it could not: it would be treated as a tool that is not there.
pub(crate) fn examine(definition: &str) -> Result<(), SchemaFault> {
    Schema::read(definition).map(|_| ())
}

/// Why a call does not fit its tool.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Misfit {
    /// Its arguments do not: where and why, for the agent.
    Arguments(String),
    /// An `Mcp-Param` header says something else than the arguments.
    Header,
}

/// An input schema that can be held against any arguments without harm.
#[derive(Debug)]
pub(crate) struct Schema {
    validator: Validator,
    bounds: Bounds,
    repeated: Repeated,
}

/// Which arguments of a tool its definition wants to see in headers as well (`x-mcp-header` of
/// revision 2026-07-28).
#[derive(Clone, Debug, Default)]
pub struct Repeated(Vec<Mark>);

impl Repeated {
    /// What a definition says of that.
    ///
    /// # Errors
    ///
    /// When the definition cannot be used.
    pub fn of(definition: &str) -> Result<Self, SchemaFault> {
        let (schema, _) = read(definition)?;
        graph::measure(&schema).map(|(_, marks)| Self(marks))
    }

    /// Whether no argument is.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The headers that repeat these arguments, given as a JSON object.
    pub fn headers(&self, arguments: Option<&str>) -> Vec<(HeaderName, HeaderValue)> {
        if self.is_empty() {
            return Vec::new();
        }
        let arguments = arguments.and_then(|text| serde_json::from_str(text).ok());
        marks::repeat(&self.0, &arguments.unwrap_or_default())
    }
}

/// The input schema in a definition, and its dialect.
fn read(definition: &str) -> Result<(Value, Draft), SchemaFault> {
    if definition.len() > MOST_BYTES {
        return Err(SchemaFault::new("the definition is larger than 256 KiB"));
    }
    json::check(definition, SHAPE).map_err(|why| SchemaFault::new(why.to_string()))?;
    let mut definition: Value = serde_json::from_str(definition)
        .map_err(|_| SchemaFault::new("a number in the definition is out of range"))?;
    let schema = definition.get_mut("inputSchema").map(Value::take);
    let Some(Value::Object(mut schema)) = schema else {
        return Err(SchemaFault::new("the tool has no `inputSchema`, or none that is an object"));
    };
    let draft = draft(&schema)?;
    // What a schema calls itself changes where its references lead. They lead into itself.
    schema.shift_remove("$id");
    let mut schema = Value::Object(schema);
    anchors::resolve(&mut schema, draft)?;
    Ok((schema, draft))
}

impl Schema {
    pub(crate) fn read(definition: &str) -> Result<Self, SchemaFault> {
        let (schema, draft) = read(definition)?;
        let (bounds, marks) = graph::measure(&schema)?;
        Ok(Self { validator: compile(schema, draft)?, bounds, repeated: Repeated(marks) })
    }

    /// The headers that repeat arguments.
    pub(crate) fn repeated(&self, arguments: Option<&str>) -> Vec<(HeaderName, HeaderValue)> {
        self.repeated.headers(arguments)
    }

    /// Holds arguments against the schema; where there are none, an empty object.
    pub(crate) fn check(
        &self,
        arguments: Option<&str>,
        headers: Option<&[(HeaderName, HeaderValue)]>,
    ) -> Result<(), Misfit> {
        let misfit = |why: &str| Misfit::Arguments(format!("The arguments {why}"));
        let arguments: Value = match arguments {
            Some(text) => {
                serde_json::from_str(text).map_err(|_| misfit("have a number out of range"))?
            }
            None => Value::Object(Map::new()),
        };
        let (members, depth) = extent(&arguments);
        let steps = self.bounds.steps.saturating_mul(members);
        let deep = self.bounds.depth.saturating_mul(depth);
        if steps > MOST_STEPS || deep > MOST_DEPTH {
            return Err(misfit("are more than can be held against the tool's input schema"));
        }
        if !self.validator.is_valid(&arguments) {
            // Saying more is work again, and for a schema that contains itself without a bound.
            let told = steps <= MOST_STEPS_TOLD && !self.bounds.recursive;
            return Err(match told.then(|| self.validator.validate(&arguments).err()).flatten() {
                Some(why) => {
                    let path = why.instance_path().to_string();
                    let place = if path.is_empty() { "/" } else { &path };
                    let said = format!("at `{place}`: {}", why.masked());
                    let said = neutralise(&said, MOST_SAID);
                    misfit(&format!("do not fit the tool's input schema {said}"))
                }
                None => misfit("do not fit the tool's input schema at `/`"),
            });
        }
        match headers {
            Some(headers) if !marks::agree(&self.repeated.0, headers, &arguments) => {
                Err(Misfit::Header)
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The schemas in use, by the fingerprints of the definitions that they stand in.
#[derive(Debug, Default)]
pub(crate) struct Schemas(Mutex<HashMap<Digest, Result<Arc<Schema>, SchemaFault>>>);

impl Schemas {
    /// The schema of a pinned definition, compiled when it is first needed.
    pub(crate) fn of(
        &self,
        fingerprint: Digest,
        definition: &str,
    ) -> Result<Arc<Schema>, SchemaFault> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(&fingerprint) {
            return found.clone();
        }
        // Two that need it at once both compile it; nobody waits while somebody does.
        let read = Schema::read(definition).map(Arc::new);
        let mut known = known();
        if known.len() >= KEPT {
            known.clear();
        }
        known.entry(fingerprint).or_insert(read).clone()
    }
}

/// The dialect of a schema. A dialect that is not known has rules that are not known.
fn draft(schema: &Map<String, Value>) -> Result<Draft, SchemaFault> {
    let Some(named) = schema.get("$schema") else { return Ok(Draft::Draft202012) };
    let named = named.as_str().unwrap_or_default().trim_end_matches('#');
    let named = named.strip_prefix("https://").or_else(|| named.strip_prefix("http://"));
    match named {
        Some("json-schema.org/draft/2020-12/schema") => Ok(Draft::Draft202012),
        Some("json-schema.org/draft/2019-09/schema") => Ok(Draft::Draft201909),
        Some("json-schema.org/draft-07/schema") => Ok(Draft::Draft7),
        Some("json-schema.org/draft-06/schema") => Ok(Draft::Draft6),
        Some(_) | None => Err(SchemaFault::new("its `$schema` names a dialect not known here")),
    }
}

fn compile(schema: Value, draft: Draft) -> Result<Validator, SchemaFault> {
    let patterns =
        PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(2 * PATTERN_BYTES);
    let work = move || {
        let options = jsonschema::options()
            .with_draft(draft)
            .with_pattern_options(patterns)
            .should_validate_formats(false)
            .offline();
        options.build(&schema).map_err(|why| {
            let place = why.instance_path().to_string();
            SchemaFault(neutralise(&format!("at `{place}`: {}", why.masked()), MOST_SAID))
        })
    };
    let thread = std::thread::Builder::new().name("schema".to_owned()).stack_size(STACK);
    let failed = || SchemaFault::new("it could not be compiled");
    thread.spawn(work).map_err(|_| failed())?.join().map_err(|_| failed())?
}

/// How many values there are in one, and how deep it nests.
fn extent(value: &Value) -> (u64, u64) {
    let inner = |values: &mut dyn Iterator<Item = &Value>| {
        values.map(extent).fold((1_u64, 0_u64), |(members, depth), (more, deep)| {
            (members.saturating_add(more), depth.max(deep))
        })
    };
    let (members, depth) = match value {
        Value::Array(values) => inner(&mut values.iter()),
        Value::Object(values) => inner(&mut values.values()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (1, 0),
    };
    (members, depth.saturating_add(1))
}

#[cfg(test)]
mod tests;

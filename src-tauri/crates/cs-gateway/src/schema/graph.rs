//! How a schema hangs together, and from that how much work it can make.
//!
//! The parts of a schema are the nodes of a graph. A part either has another look at the same
//! value (`allOf`, `$ref` and the like) or looks at values inside it (`properties`, `items`).
//! A circle of the first kind would never end; anything else ends where the value does.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::SchemaFault;
use super::marks::{self, Mark};

/// The most parts, patterns, characters of a pattern, looks at one value, and parts that are
/// looked through one after the other at one value.
const PARTS: usize = 4000;
const PATTERNS: usize = 200;
const PATTERN: usize = 1024;
const STEPS: u64 = 20_000;
const CHAIN: u64 = 64;

/// How deep references may lead into one another.
const HEIGHT: u64 = 512;

/// Parts that have another look at the same value: one, several, or several by name.
const SAME: &[&str] = &["not", "if", "then", "else"];
const SAME_LISTS: &[&str] = &["allOf", "anyOf", "oneOf"];
const SAME_MAPS: &[&str] = &["dependentSchemas", "dependencies"];

/// Parts that look at values inside.
const INSIDE: &[&str] = &[
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "items",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const INSIDE_LISTS: &[&str] = &["items", "prefixItems"];
const INSIDE_MAPS: &[&str] = &["patternProperties", "properties"];

/// Parts that are looked through only by reference.
const SHELVES: &[&str] = &["$defs", "definitions"];

/// Keywords that would make references lead elsewhere.
const REDIRECTIONS: &[&str] = &["$dynamicRef", "$recursiveRef"];
const ANCHORS: &[&str] = &["$anchor", "$dynamicAnchor", "$id", "$recursiveAnchor"];

/// The parts that stand directly in a part, each with the step that leads to it.
pub(super) fn parts(schema: &mut Value) -> Vec<(String, &mut Value)> {
    let Value::Object(members) = schema else { return Vec::new() };
    let mut found = Vec::new();
    for (key, value) in members {
        let is = |table: &[&str]| table.contains(&key.as_str());
        let list = value.is_array() && (is(SAME_LISTS) || is(INSIDE_LISTS));
        let map = is(SAME_MAPS) || is(INSIDE_MAPS) || is(SHELVES);
        let single = value.is_object() && (is(SAME) || is(INSIDE));
        if list {
            let parts = value.as_array_mut().into_iter().flatten().enumerate();
            found.extend(parts.map(|(at, part)| (format!("/{key}/{at}"), part)));
        } else if single {
            found.push((format!("/{key}"), value));
        } else if map {
            let step = |name: &str| name.replace('~', "~0").replace('/', "~1");
            let parts = value.as_object_mut().into_iter().flatten();
            found.extend(parts.map(|(name, part)| (format!("/{key}/{}", step(name)), part)));
        }
    }
    found
}

/// How much work a schema can make.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Bounds {
    /// How many looks one value may need.
    pub(super) steps: u64,
    /// How many parts stand on top of one another at one value.
    pub(super) depth: u64,
    /// Whether it contains itself.
    pub(super) recursive: bool,
}

/// Measures a schema, and finds what it wants to see in headers.
pub(super) fn measure(schema: &Value) -> Result<(Bounds, Vec<Mark>), SchemaFault> {
    let mut graph = Graph::default();
    let root = graph.add(schema, schema, Some(&[]))?;
    while let Some((from, pointer)) = graph.references.pop() {
        let target = schema
            .pointer(&pointer)
            .ok_or_else(|| SchemaFault::new("a `$ref` leads to nothing"))?;
        let to = match graph.known.get(&address(target)) {
            Some(known) => *known,
            None => graph.add(schema, target, None)?,
        };
        graph.link(from, to, true);
    }
    let depth = graph.chain()?;
    let mut survey = Survey { seen: vec![Seen::No; graph.parts.len()], recursive: false };
    let Size { steps, .. } = survey.of(&graph, root, 0)?;
    if steps > STEPS {
        return Err(SchemaFault::new("one value would have to be looked at too often"));
    }
    marks::check_unique(&graph.marks)?;
    Ok((Bounds { steps, depth, recursive: survey.recursive }, graph.marks))
}

#[derive(Debug, Default)]
struct Part {
    weight: u64,
    /// The parts that it hands values to, and whether it is the same value.
    links: Vec<(usize, bool)>,
}

#[derive(Debug, Default)]
struct Graph {
    parts: Vec<Part>,
    known: HashMap<usize, usize>,
    references: Vec<(usize, String)>,
    patterns: usize,
    marks: Vec<Mark>,
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

impl Graph {
    fn link(&mut self, from: usize, to: usize, same: bool) {
        if let Some(part) = self.parts.get_mut(from) {
            part.links.push((to, same));
        }
    }

    /// Adds a part and all that stands in it. `place` are the names that lead to the value it
    /// looks at, where nothing but `properties` does.
    fn add(
        &mut self,
        root: &Value,
        schema: &Value,
        place: Option<&[String]>,
    ) -> Result<usize, SchemaFault> {
        let this = self.parts.len();
        if this >= PARTS {
            return Err(SchemaFault::new("it has too many parts"));
        }
        self.known.insert(address(schema), this);
        self.parts.push(Part { weight: 1, links: Vec::new() });
        let Value::Object(members) = schema else { return Ok(this) };
        self.check_keywords(members, std::ptr::eq(root, schema))?;
        if let Some(listed) = members.get("enum").and_then(Value::as_array)
            && let Some(part) = self.parts.get_mut(this)
        {
            part.weight = u64::try_from(listed.len() / 4).unwrap_or(u64::MAX).saturating_add(1);
        }
        if let Some(mark) = marks::read(members, place)? {
            self.marks.push(mark);
        }
        if let Some(reference) = members.get("$ref") {
            self.references.push((this, pointer(reference)?));
        }
        for (key, value) in members {
            self.add_inner(root, this, (key, value), place)?;
        }
        Ok(this)
    }

    fn add_inner(
        &mut self,
        root: &Value,
        this: usize,
        (key, value): (&str, &Value),
        place: Option<&[String]>,
    ) -> Result<(), SchemaFault> {
        let is = |table: &[&str]| table.contains(&key);
        match value {
            Value::Array(schemas) if is(SAME_LISTS) || is(INSIDE_LISTS) => {
                for schema in schemas {
                    let to = self.add(root, schema, None)?;
                    self.link(this, to, is(SAME_LISTS));
                }
            }
            Value::Object(schemas) if is(SAME_MAPS) || is(INSIDE_MAPS) || is(SHELVES) => {
                for (name, schema) in schemas {
                    let inner = place.filter(|_| key == "properties").map(|place| {
                        let mut inner = place.to_vec();
                        inner.push(name.clone());
                        inner
                    });
                    let to = self.add(root, schema, inner.as_deref())?;
                    if !is(SHELVES) {
                        self.link(this, to, is(SAME_MAPS));
                    }
                }
            }
            schema @ (Value::Object(_) | Value::Bool(_)) if is(SAME) || is(INSIDE) => {
                let to = self.add(root, schema, None)?;
                self.link(this, to, is(SAME));
            }
            Value::Array(_)
            | Value::Bool(_)
            | Value::Null
            | Value::Number(_)
            | Value::Object(_)
            | Value::String(_) => {}
        }
        Ok(())
    }

    fn check_keywords(
        &mut self,
        members: &Map<String, Value>,
        is_root: bool,
    ) -> Result<(), SchemaFault> {
        let has = |keys: &[&str]| keys.iter().any(|key| members.contains_key(*key));
        if has(REDIRECTIONS) || (!is_root && has(ANCHORS)) {
            return Err(SchemaFault::new(
                "it has a reference or an anchor of a kind that is not followed here",
            ));
        }
        let pattern = members.get("pattern").and_then(Value::as_str);
        let by_name = members.get("patternProperties").and_then(Value::as_object);
        let all = pattern.into_iter().chain(by_name.into_iter().flatten().map(|(key, _)| &**key));
        for pattern in all {
            self.patterns = self.patterns.saturating_add(1);
            if self.patterns > PATTERNS || pattern.len() > PATTERN {
                return Err(SchemaFault::new("it has too many patterns, or too long a one"));
            }
        }
        Ok(())
    }

    /// The longest chain of parts at one value. A circle of them has no end.
    fn chain(&self) -> Result<u64, SchemaFault> {
        let mut lengths = vec![Seen::No; self.parts.len()];
        let mut longest = 0;
        for at in 0..self.parts.len() {
            longest = longest.max(self.chain_from(at, &mut lengths)?);
        }
        Ok(longest)
    }

    fn chain_from(&self, at: usize, lengths: &mut [Seen]) -> Result<u64, SchemaFault> {
        match lengths.get(at) {
            Some(Seen::Done(size)) => return Ok(size.height),
            Some(Seen::Now) | None => {
                return Err(SchemaFault::new("a `$ref` leads back to itself without an end"));
            }
            Some(Seen::No) => set(lengths, at, Seen::Now),
        }
        let mut longest = 0;
        for (to, same) in self.parts.get(at).map(|it| it.links.as_slice()).unwrap_or_default() {
            if *same {
                longest = longest.max(self.chain_from(*to, lengths)?);
            }
        }
        let height = longest.saturating_add(1);
        if height > CHAIN {
            return Err(SchemaFault::new("it refers to itself through too many parts"));
        }
        set(lengths, at, Seen::Done(Size { height, steps: 0 }));
        Ok(height)
    }
}

#[derive(Clone, Copy, Debug)]
struct Size {
    height: u64,
    steps: u64,
}

#[derive(Clone, Copy, Debug)]
enum Seen {
    No,
    Now,
    Done(Size),
}

fn set(all: &mut [Seen], at: usize, seen: Seen) {
    if let Some(slot) = all.get_mut(at) {
        *slot = seen;
    }
}

/// Counts every way through the graph. A part that contains itself is looked through once for
/// each value: the validator remembers what came of it.
struct Survey {
    seen: Vec<Seen>,
    recursive: bool,
}

impl Survey {
    fn of(&mut self, graph: &Graph, at: usize, under: u64) -> Result<Size, SchemaFault> {
        let deep = || SchemaFault::new("its parts lead into one another too deeply");
        match self.seen.get(at) {
            Some(Seen::Done(size)) => return Ok(*size),
            Some(Seen::Now) => {
                self.recursive = true;
                return Ok(Size { height: 0, steps: 1 });
            }
            Some(Seen::No) if under < HEIGHT => set(&mut self.seen, at, Seen::Now),
            Some(Seen::No) | None => return Err(deep()),
        }
        let Some(part) = graph.parts.get(at) else { return Err(deep()) };
        let mut size = Size { height: 0, steps: part.weight };
        for (to, _) in &part.links {
            let inner = self.of(graph, *to, under.saturating_add(1))?;
            size.height = size.height.max(inner.height);
            size.steps = size.steps.saturating_add(inner.steps);
        }
        size.height = size.height.saturating_add(1);
        set(&mut self.seen, at, Seen::Done(size));
        Ok(size)
    }
}

/// Where a reference leads: into the schema itself, or it is refused. Nothing is ever fetched.
fn pointer(reference: &Value) -> Result<String, SchemaFault> {
    let refused = || {
        SchemaFault::new(
            "a `$ref` leads out of the schema; only `#` and `#/...` are followed, and nothing is \
             fetched",
        )
    };
    let fragment =
        reference.as_str().and_then(|text| text.strip_prefix('#')).ok_or_else(refused)?;
    let plain = fragment.is_empty() || fragment.starts_with('/');
    if plain && !fragment.contains('%') { Ok(fragment.to_owned()) } else { Err(refused()) }
}

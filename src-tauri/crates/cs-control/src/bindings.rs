//! The console's TypeScript, from the types that every command takes and answers with.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use ts_rs::{Config, TS, TypeVisitor};

use crate::change::Change;
use crate::command::{Command, Visitor};
use crate::commands;
use crate::failure::Failure;

const HEAD: &str = "\
// Written by `cargo xtask bindings` from the view types of cs-control. Do not edit.

type Brand<K extends string> = string & { readonly __kind: K }
";

/// The whole file.
pub fn typescript() -> String {
    let mut found = Found {
        config: Config::new().with_large_int("number"),
        seen: HashSet::new(),
        types: BTreeMap::new(),
        commands: String::new(),
    };
    found.look::<Change>();
    found.look::<Failure>();
    commands::visit(&mut found);
    let mut file = HEAD.to_owned();
    for declared in found.types.values() {
        file.push('\n');
        file.push_str(declared);
        file.push('\n');
    }
    file.push_str("\n/** Every command of the backend: what goes in and what comes out. */\n");
    file.push_str("export type Commands = {\n");
    file.push_str(&found.commands);
    file.push_str("}\n");
    tidy(&file)
}

/// Gives the text the form that people write: short comments on one line, one field a line,
/// indented by its depth.
fn tidy(file: &str) -> String {
    let file = file.replace("Record<symbol, never>", "Record<string, never>");
    let mut tidy = String::with_capacity(file.len());
    let mut depth: usize = 0;
    let mut lines = split(&file).into_iter().peekable();
    while let Some(mut line) = lines.next() {
        let comment = line.starts_with("/**") || line.starts_with('*');
        if line == "/**" && lines.clone().nth(1).is_some_and(|end| end == "*/") {
            let text = lines.next().unwrap_or_default();
            line = format!("/** {} */", text.trim_start_matches('*').trim());
            let _ = lines.next();
        } else if line.starts_with('*') {
            line.insert(0, ' ');
        }
        if !comment {
            line = line.replace('"', "'");
        }
        let closes = line.matches('}').count();
        let opens = line.matches('{').count();
        if !comment && line.starts_with('}') {
            depth = depth.saturating_sub(1);
        }
        if line.is_empty() {
            tidy.push('\n');
            continue;
        }
        let _ = writeln!(tidy, "{}{line}", "  ".repeat(depth));
        if !comment {
            depth = depth.saturating_add(opens);
            let closed = if line.starts_with('}') { closes.saturating_sub(1) } else { closes };
            depth = depth.saturating_sub(closed);
        }
    }
    tidy
}

/// The lines, with the end of each type on one of its own.
fn split(file: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in file.lines() {
        let line = line.trim();
        match line.split_once(", }") {
            Some((field, rest)) if !line.contains('{') => {
                lines.push(field.to_owned());
                lines.push(format!("}}{rest}"));
            }
            Some(_) | None if line.starts_with('*') => lines.push(line.to_owned()),
            Some(_) | None => lines.push(line.trim_end_matches(',').to_owned()),
        }
    }
    lines
}

struct Found {
    config: Config,
    seen: HashSet<TypeId>,
    types: BTreeMap<String, String>,
    commands: String,
}

impl Found {
    fn look<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            let declared = T::decl(&self.config);
            let declared = declared.trim_end_matches(';');
            self.types.insert(T::ident(&self.config), format!("{docs}export {declared}"));
        }
    }
}

impl TypeVisitor for Found {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        self.look::<T>();
    }
}

impl Visitor for Found {
    fn visit<C: Command>(&mut self) {
        C::visit_dependencies(self);
        self.look::<C::Answer>();
        let docs = C::docs().unwrap_or_default();
        for line in docs.lines() {
            let _ = writeln!(self.commands, "  {line}");
        }
        let args = C::inline(&self.config);
        let answer = C::Answer::name(&self.config);
        let _ = writeln!(self.commands, "  {}: {{ args: {args}; answer: {answer} }}", C::NAME);
    }
}

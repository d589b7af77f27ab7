//! The parts of a full test, in the order in which they run.

use std::fs;
use std::process::Command;

use anyhow::{Result, bail};

use super::tally::Tally;
use crate::exec::{command, run, tee};
use crate::place::Place;
use crate::session::Session;
use crate::setup::{Node, has_glewlwyd, has_postgresql};
use crate::{bindings, layers, tidy, ui};

/// One part.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) run: fn(&Place, &Node, &mut Tally) -> Result<()>,
}

pub(super) const PARTS: &[Part] = &[
    Part { name: "format", what: "is the code formatted?", run: format },
    Part { name: "tidy", what: "sizes, forbidden words, lists that must agree", run: tidy },
    Part { name: "layers", what: "who depends on whom", run: layers },
    Part { name: "ui", what: "types, unit tests and build of the interface", run: interface },
    Part { name: "clippy", what: "lints over everything, warnings refused", run: clippy },
    Part { name: "build", what: "programs and tests", run: build },
    Part { name: "bindings", what: "does the interface know the types as they are?", run: bind },
    Part { name: "rust", what: "crates, sockets, real servers and clients, the app", run: rust },
    Part { name: "browser", what: "the interface in a browser on the real core", run: browser },
];

fn format(place: &Place, _: &Node, _: &mut Tally) -> Result<()> {
    run(&mut command(&place.root, "cargo", &["fmt", "--all", "--check"]))
}

fn tidy(place: &Place, _: &Node, _: &mut Tally) -> Result<()> {
    crate::report("tidy", &tidy::problems(place)?)
}

fn layers(place: &Place, _: &Node, _: &mut Tally) -> Result<()> {
    crate::report("layers", &layers::problems(place)?)
}

fn interface(place: &Place, node: &Node, tally: &mut Tally) -> Result<()> {
    let folder = place.at("ui");
    run(&mut node.command(&folder, "npm", &["run", "typecheck"]))?;
    run(&mut node.command(&folder, "npm", &["run", "lint"]))?;
    let mut tests = node.command(&folder, "npm", &["test"]);
    let ok = tee(tests.env("CI", "1").env("NO_COLOR", "1"), &mut |line| tally.read_vitest(line))?;
    ui::build(place, node)?;
    passed(ok, "unit tests of the interface")
}

fn clippy(place: &Place, node: &Node, _: &mut Tally) -> Result<()> {
    // The desktop program carries the built interface inside.
    ui::build(place, node)?;
    let args = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    run(&mut command(&place.root, "cargo", &args))
}

fn build(place: &Place, node: &Node, _: &mut Tally) -> Result<()> {
    ui::build(place, node)?;
    // Always the whole workspace: with fewer packages cargo chooses other features of what they
    // share, and builds it twice.
    run(&mut command(&place.root, "cargo", &["build", "--workspace", "--locked"]))?;
    run(&mut command(&place.root, "cargo", &["test", "--workspace", "--locked", "--no-run"]))
}

fn bind(place: &Place, _: &Node, _: &mut Tally) -> Result<()> {
    bindings::check(place)
}

fn rust(place: &Place, node: &Node, tally: &mut Tally) -> Result<()> {
    let mut words = vec!["cargo", "test", "--workspace", "--locked", "--no-fail-fast"];
    let needs = [
        (has_glewlwyd(), "glewlwyd", "glewlwyd", "Glewlwyd"),
        (has_postgresql(), "pairs::postgres", "pairs/postgres", "PostgreSQL"),
    ];
    let missing: Vec<_> = needs.into_iter().filter(|(is_here, ..)| !is_here).collect();
    if !missing.is_empty() {
        words.push("--");
    }
    for (_, module, file, program) in missing {
        words.extend(["--skip", module]);
        let source =
            fs::read_to_string(place.at("tests/headless").join(file).with_extension("rs"))?;
        let why = format!("{program} is not here and could not be installed");
        tally.leave_out(module, &source, &why);
    }
    let mut tests = in_session(place, node, "session/rust", &words)?;
    let ok = tee(&mut tests, &mut |line| tally.read_cargo(line))?;
    passed(ok, "tests in Rust")
}

fn browser(place: &Place, node: &Node, tally: &mut Tally) -> Result<()> {
    run(&mut node.command(&place.at("ui"), "npm", &["run", "build:mock"]))?;
    let on_mock = in_browser(place, node, "ui", "e2e", tally)?;
    let on_core = in_browser(place, node, "", "tests/browser", tally)?;
    passed(on_mock && on_core, "tests in the browser")
}

/// Runs the browser tests of a folder. That there are none is a failure too.
fn in_browser(
    place: &Place,
    node: &Node,
    from: &str,
    folder: &str,
    tally: &mut Tally,
) -> Result<bool> {
    let mut files = Vec::new();
    for entry in fs::read_dir(place.at(from).join(folder)).into_iter().flatten() {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".test.mjs") {
            files.push(format!("{folder}/{name}"));
        }
    }
    if files.is_empty() {
        bail!("there are no browser tests in {from}/{folder}");
    }
    files.sort();
    let mut words = vec!["node", "--test", "--test-reporter=tap", "--test-concurrency=1"];
    words.extend(files.iter().map(String::as_str));
    let mut tests = in_session(place, node, "session/browser", &words)?;
    tee(tests.current_dir(place.at(from)), &mut |line| tally.read_tap(line))
}

/// A command in a private session, which knows where the programs are that were built.
fn in_session(place: &Place, node: &Node, name: &str, words: &[&str]) -> Result<Command> {
    let mut command = Session::fresh(place, name)?.command(place, node, words);
    command.env("CARGO_TARGET_DIR", &place.cargo_target);
    Ok(command)
}

fn passed(ok: bool, what: &str) -> Result<()> {
    if ok { Ok(()) } else { bail!("some {what} failed") }
}

//! Sets up, runs, tests, measures and checks this repository: `cargo xtask <what>`.
//!
//! Needs nothing of our own crates, so that it builds in seconds and can judge the others.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal says what it is doing"
)]

mod bench;
mod bindings;
mod exec;
mod layers;
mod place;
mod run;
mod session;
mod setup;
mod sqlx;
mod test;
mod tidy;
mod ui;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask <what>

  run [--home DIR]       open the console on a starter registry (on a virtual display if need be)
  test [--only PART]...  everything that must hold before a change goes in
  bench [--table]        measure speed and memory, and write the report and the README's table (or
                         the table alone)
  setup                  install what building, running and testing need
  bindings [--check]     write ui/src/ipc/generated.ts from the types of cs-control
  layers                 check who depends on whom
  tidy                   check sizes, forbidden words and lists that must agree
  sqlx [--check]         write the data that lets SQL be checked without a database";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match dispatch(&args) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("xtask: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[&str]) -> Result<ExitCode> {
    let place = place::Place::find()?;
    match args {
        ["run"] => run::run(&place, None)?,
        ["run", "--home", home] => run::run(&place, Some(home))?,
        ["test", rest @ ..] => return test::run(&place, &only(rest)?),
        ["bench"] => bench::everything(&place)?,
        ["bench", "--table"] => bench::write_table(&place)?,
        ["setup"] => drop(setup::everything(&place)?),
        ["bindings"] => bindings::write(&place)?,
        ["bindings", "--check"] => bindings::check(&place)?,
        ["layers"] => report("layers", &layers::problems(&place)?)?,
        ["tidy"] => report("tidy", &tidy::problems(&place)?)?,
        ["sqlx"] => sqlx::write(&place)?,
        ["sqlx", "--check"] => sqlx::check(&place)?,
        ["help" | "--help" | "-h"] => println!("{USAGE}"),
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn only<'a>(args: &[&'a str]) -> Result<Vec<&'a str>> {
    let mut parts = Vec::new();
    let mut rest = args;
    while let Some((first, after)) = rest.split_first() {
        let (part, after) = match (*first, after.split_first()) {
            ("--only", Some((part, after))) => (*part, after),
            _ => bail!("expected `--only PART`, got `{first}`"),
        };
        parts.push(part);
        rest = after;
    }
    Ok(parts)
}

/// Says what is wrong, line by line, and fails if anything is.
fn report(what: &str, problems: &[String]) -> Result<()> {
    for problem in problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => {
            println!("{what}: nothing to object to");
            Ok(())
        }
        count => bail!("{what}: {count} to put right"),
    }
}

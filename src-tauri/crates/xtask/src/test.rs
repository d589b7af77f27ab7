//! Everything that must hold before a change goes in, in one go, with the runners' own counts.

mod parts;
mod tally;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::exec::say;
use crate::place::Place;
use crate::setup;
use parts::{PARTS, Part};
use tally::Tally;

/// How one part went.
#[derive(Debug)]
struct Ran {
    name: &'static str,
    took: Duration,
    tally: Tally,
    problem: Option<String>,
}

/// Runs all parts, or those that are named. The last line is the sum of what the test runners
/// counted themselves.
pub(crate) fn run(place: &Place, only: &[&str]) -> Result<ExitCode> {
    let chosen = choose(only)?;
    let started = now();
    let node = setup::everything(place)?;
    let mut ran = vec![Ran {
        name: "setup",
        took: started.elapsed(),
        tally: Tally::default(),
        problem: None,
    }];
    for part in chosen {
        say(&format!("{}: {}", part.name, part.what));
        let (begun, mut tally) = (now(), Tally::default());
        let problem =
            (part.run)(place, &node, &mut tally).err().map(|problem| format!("{problem:#}"));
        ran.push(Ran { name: part.name, took: begun.elapsed(), tally, problem });
    }
    Ok(conclude(&ran))
}

fn choose(only: &[&str]) -> Result<Vec<&'static Part>> {
    let unknown = only.iter().find(|name| PARTS.iter().all(|part| part.name != **name));
    if let Some(unknown) = unknown {
        let known: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        bail!("there is no part `{unknown}`; there are {}", known.join(", "));
    }
    Ok(PARTS.iter().filter(|part| only.is_empty() || only.contains(&part.name)).collect())
}

fn conclude(ran: &[Ran]) -> ExitCode {
    let mut sum = Tally::default();
    println!("\n{:<10} {:>8} {:>7} {:>7} {:>8}", "part", "seconds", "passed", "failed", "skipped");
    for Ran { name, took, tally, problem } in ran {
        let verdict = if problem.is_some() || tally.failed > 0 { "  FAILED" } else { "" };
        println!(
            "{name:<10} {:>8.1} {:>7} {:>7} {:>8}{verdict}",
            took.as_secs_f64(),
            tally.passed,
            tally.failed,
            tally.skipped
        );
        sum.add(tally);
    }
    for (what, names) in [("failed", &sum.failed_names), ("skipped", &sum.skipped_names)] {
        for name in names {
            println!("{what}: {name}");
        }
    }
    let mut ok = sum.failed == 0;
    for Ran { name, problem, .. } in ran {
        if let Some(problem) = problem {
            println!("{name}: {problem}");
            ok = false;
        }
    }
    println!("{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped);
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::disallowed_methods, reason = "how long the tests took is told to a person")]
fn now() -> Instant {
    Instant::now()
}

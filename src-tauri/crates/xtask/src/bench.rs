//! Measures speed and memory, and writes down what came of it: `tests/report.json`, and the table in
//! the README that is made from it.

mod table;

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use crate::exec::{capture, command, run, say};
use crate::place::Place;

pub(crate) use table::in_step;

/// Where the figures are.
pub(crate) const REPORT: &str = "tests/report.json";

/// The benches whose medians are in the report, by package.
const BENCHES: &[(&str, &str)] = &[("cs-policy", "decide"), ("cs-gateway", "authenticate")];

/// Builds what is measured, measures, and writes the report.
pub(crate) fn everything(place: &Place) -> Result<()> {
    say("building what is measured");
    let packages = ["-p", "cs-cli", "-p", "countersign-tests"];
    let build = [&["build", "--release", "--locked", "--bins"], &packages[..]].concat();
    run(&mut command(&place.root, "cargo", &build))?;
    for (package, bench) in BENCHES {
        let words = ["bench", "--locked", "-p", package, "--bench", bench, "--no-run"];
        run(&mut command(&place.root, "cargo", &words))?;
    }

    say("measuring the gateway beside a plain proxy");
    let mut load = Command::new(place.cargo_target.join("release/countersign-load"));
    let output = load
        .arg("run")
        .current_dir(&place.root)
        .stderr(Stdio::inherit())
        .output()
        .context("could not start `countersign-load`")?;
    if !output.status.success() {
        bail!("`countersign-load` failed ({})", output.status);
    }
    let mut report: Map<String, Value> =
        serde_json::from_slice(&output.stdout).context("`countersign-load` prints a report")?;

    let mut medians = Map::new();
    for (package, bench) in BENCHES {
        say(&format!("measuring `{bench}` of {package}"));
        let words = ["bench", "--locked", "-p", package, "--bench", bench];
        let printed = capture(&mut command(&place.root, "cargo", &words))?;
        println!("{printed}");
        for (name, nanoseconds) in read(&printed) {
            medians.insert(format!("{bench}/{name}"), json!(nanoseconds));
        }
    }
    report.insert("median_ns".to_owned(), medians.into());

    let report = Value::from(report);
    fs::write(place.at(REPORT), format!("{report:#}\n")).context("could not write the report")?;
    write_table(place)
}

/// Makes the table of the README from the report that is there.
pub(crate) fn write_table(place: &Place) -> Result<()> {
    let report = fs::read_to_string(place.at(REPORT)).context("there is no report")?;
    let report = serde_json::from_str(&report).context("the report is not JSON")?;
    let readme = fs::read_to_string(place.at("README.md")).context("there is no README")?;
    let readme = table::put(&readme, &report).context("the README has no place for the table")?;
    fs::write(place.at("README.md"), readme).context("could not write the README")?;
    println!("{}", table::of(&report));
    Ok(())
}

/// The medians that a bench printed, in nanoseconds, by the names of what was measured.
fn read(printed: &str) -> Vec<(String, f64)> {
    let rows = printed.lines().filter_map(|line| {
        // ├─ name   fastest │ slowest │ median │ mean │ samples │ iters
        let line = line.trim().trim_start_matches(['├', '╰', '─', ' ']);
        let cells: Vec<&str> = line.split('│').collect();
        let name = line.split_whitespace().next()?;
        Some((name.to_owned(), nanoseconds(cells.get(2)?.trim())?))
    });
    rows.collect()
}

/// A span as a bench prints it.
fn nanoseconds(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once(' ')?;
    let each = match unit {
        "ns" => 1.0,
        "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_medians_of_a_bench_are_read_in_nanoseconds() {
        let printed = "\
Timer precision: 20 ns
decide           fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ allowed       211.1 ns      │ 320.5 ns      │ 214.2 ns      │ 220.2 ns      │ 100     │ 100000
╰─ compiled      101.5 ms      │ 120.5 ms      │ 110.2 µs      │ 112.2 ms      │ 10      │ 10
";
        let expected = [("allowed".to_owned(), 214.2), ("compiled".to_owned(), 110_200.0)];
        assert_eq!(read(printed), expected);
    }
}

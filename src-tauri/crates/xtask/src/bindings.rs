//! The types and calls of the interface, written from those of `cs-control`.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::exec::{command, run, say};
use crate::place::Place;

const FILE: &str = "ui/src/ipc/generated.ts";

/// Writes the file.
pub(crate) fn write(place: &Place) -> Result<()> {
    say(&format!("writing {FILE}"));
    generate(place, &place.at(FILE).to_string_lossy())
}

/// Says whether the file is the one that would be written.
pub(crate) fn check(place: &Place) -> Result<()> {
    let fresh = place.made("bindings.ts");
    fs::create_dir_all(place.made(""))?;
    generate(place, &fresh.to_string_lossy())?;
    let fresh = fs::read_to_string(fresh).context("could not read what was generated")?;
    if fs::read_to_string(place.at(FILE)).is_ok_and(|committed| committed == fresh) {
        println!("{FILE} is what cs-control says");
        return Ok(());
    }
    bail!("{FILE} is not what cs-control says; run `cargo xtask bindings` and commit it")
}

fn generate(place: &Place, to: &str) -> Result<()> {
    // Of the whole workspace, as in every other build here: see `test::parts`.
    let build = ["build", "--quiet", "--workspace", "--locked", "--bin", "bindings"];
    run(&mut command(&place.root, "cargo", &build))?;
    run(&mut command(&place.root, place.cargo_target.join("debug/bindings"), &[to]))
}

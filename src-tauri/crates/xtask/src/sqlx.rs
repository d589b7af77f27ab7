//! The data by which SQL is checked when there is no database to ask (`.sqlx` in cs-registry).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};

use crate::exec::{command, run, say};
use crate::place::Place;

const CRATE: &str = "src-tauri/crates/cs-registry";

/// Runs the migrations on an empty database. Python's own SQLite does, so that nothing has to
/// be built first.
const MIGRATE: &str = "\
import pathlib, sqlite3, sys
base = sqlite3.connect(sys.argv[1], isolation_level=None)
for path in sorted(pathlib.Path(sys.argv[2]).glob('*.sql')):
    base.executescript(path.read_text())
";

/// Writes the data anew.
pub(crate) fn write(place: &Place) -> Result<()> {
    say("asking a database with today's schema about every query");
    prepare(place, &place.at(CRATE).join(".sqlx"))
}

/// Says whether the data is what would be written.
pub(crate) fn check(place: &Place) -> Result<()> {
    let fresh = place.made("sqlx/fresh");
    prepare(place, &fresh)?;
    if contents(&fresh)? == contents(&place.at(CRATE).join(".sqlx"))? {
        println!("{CRATE}/.sqlx fits the schema and the queries");
        return Ok(());
    }
    bail!("{CRATE}/.sqlx is out of date; run `cargo xtask sqlx` and commit it")
}

fn prepare(place: &Place, data: &Path) -> Result<()> {
    let folder = place.made("sqlx");
    let base = folder.join("schema.db");
    fs::create_dir_all(&folder)?;
    for old in [&base, &folder.join("schema.db-wal"), &folder.join("schema.db-shm")] {
        drop(fs::remove_file(old));
    }
    let (file, migrations) = (base.to_string_lossy(), place.at(CRATE).join("migrations"));
    let migrations = migrations.to_string_lossy();
    run(&mut command(&place.root, "python3", &["-c", MIGRATE, &file, &migrations]))?;
    if data.exists() {
        fs::remove_dir_all(data).context("could not remove the old data")?;
    }
    fs::create_dir_all(data)?;
    // The queries are looked at only while their crate is compiled.
    touch(&place.at(CRATE).join("src/lib.rs"))?;
    let mut check = command(&place.root, "cargo", &["check", "-p", "cs-registry", "--all-targets"]);
    check.env("DATABASE_URL", format!("sqlite:{file}")).env("SQLX_OFFLINE", "false");
    check.env("SQLX_OFFLINE_DIR", data);
    run(&mut check)
}

#[expect(clippy::disallowed_methods, reason = "a build tool tells cargo what is new by the time")]
fn touch(file: &Path) -> Result<()> {
    let opened = fs::File::options().append(true).open(file)?;
    opened.set_modified(SystemTime::now()).context("could not touch a source file")
}

fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        all.insert(name, fs::read(&path)?);
    }
    Ok(all)
}

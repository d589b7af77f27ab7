//! The interface: built when something of it has changed.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, Result};

use crate::exec::{run, say};
use crate::place::Place;
use crate::setup::Node;

/// Builds `ui/dist`, which the desktop program carries inside, unless it is up to date.
pub(crate) fn build(place: &Place, node: &Node) -> Result<()> {
    let ui = place.at("ui");
    let stamp = place.made("stamps/ui");
    let mut now = String::new();
    list(&ui, &mut now)?;
    if ui.join("dist/index.html").exists() && fs::read_to_string(&stamp).is_ok_and(|s| s == now) {
        return Ok(());
    }
    say("building the interface");
    run(&mut node.command(&ui, "npm", &["run", "build"]))?;
    fs::create_dir_all(place.made("stamps"))?;
    fs::write(stamp, now).context("could not note that the interface is built")
}

/// Every file that goes into the interface, with its size and when it was written.
fn list(folder: &Path, into: &mut String) -> Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .with_context(|| format!("could not list {}", folder.display()))?
        .collect::<std::io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        if name == "node_modules" || name == "dist" {
            continue;
        }
        let about = entry.metadata()?;
        if about.is_dir() {
            list(&entry.path(), into)?;
        } else {
            let written = about.modified()?.duration_since(UNIX_EPOCH)?.as_nanos();
            into.push_str(&format!("{} {} {written}\n", entry.path().display(), about.len()));
        }
    }
    Ok(())
}

//! Installs what building, running and testing need. Each step says what it does, and is left
//! out when there is nothing to do.

mod node;
mod packages;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

pub(crate) use node::Node;
pub(crate) use packages::{Purpose, has_glewlwyd, has_postgresql};

use crate::exec::{command, run, say};
use crate::place::Place;

/// What all commands need together.
pub(crate) fn everything(place: &Place) -> Result<Node> {
    packages::install(Purpose::Test)?;
    packages::install_glewlwyd();
    packages::install_postgresql();
    let node = Node::find(place)?;
    ui_packages(place, &node)?;
    peers(place, &node)?;
    println!("everything is in place");
    Ok(node)
}

/// What the console needs in order to be built and run.
pub(crate) fn for_running(place: &Place, purpose: Purpose) -> Result<Node> {
    packages::install(purpose)?;
    let node = Node::find(place)?;
    ui_packages(place, &node)?;
    Ok(node)
}

fn ui_packages(place: &Place, node: &Node) -> Result<()> {
    npm_packages(place, node, "ui")
}

/// The real servers and clients that the tests speak with.
fn peers(place: &Place, node: &Node) -> Result<()> {
    npm_packages(place, node, "tests/peers")?;
    python_packages(place, "peers-python", "requirements.txt", "peers/python")?;
    // Some servers need the older generation of the protocol's package.
    python_packages(place, "peers-python-mcp-1", "requirements-mcp-1.txt", "peers/python-mcp-1")
}

/// An environment of Python with what a list of the peers has.
fn python_packages(place: &Place, stamp: &str, list: &str, folder: &str) -> Result<()> {
    let list = place.at("tests/peers").join(list);
    let folder = place.made(folder);
    let python = folder.join("bin/python");
    let what = format!("installing the Python peers of {}", list.display());
    once(place, stamp, &[&list], &python, &what, || {
        let shown = folder.to_string_lossy();
        run(&mut command(&place.root, "python3", &["-m", "venv", "--clear", &shown]))?;
        let list = list.to_string_lossy();
        run(&mut command(&place.root, &python, &["-m", "pip", "install", "--quiet", "-r", &list]))
    })
}

fn npm_packages(place: &Place, node: &Node, folder: &str) -> Result<()> {
    let lock = place.at(folder).join("package-lock.json");
    let modules = place.at(folder).join("node_modules");
    let what = format!("installing the npm packages of {folder} from its lock file");
    once(place, &format!("npm-{}", folder.replace('/', "-")), &[&lock], &modules, &what, || {
        run(&mut node.command(&place.at(folder), "npm", &["ci", "--no-audit", "--no-fund"]))
    })
}

/// Does something unless it was done before from the very same inputs and its result is still
/// there. The stamp is a copy of the inputs.
pub(crate) fn once(
    place: &Place,
    stamp: &str,
    inputs: &[&Path],
    result: &Path,
    what: &str,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let stamp = place.made("stamps").join(stamp);
    let mut now = Vec::new();
    for input in inputs {
        let bytes =
            fs::read(input).with_context(|| format!("could not read {}", input.display()))?;
        now.extend(bytes);
    }
    if result.exists() && fs::read(&stamp).is_ok_and(|then| then == now) {
        return Ok(());
    }
    say(what);
    work()?;
    fs::create_dir_all(place.made("stamps"))?;
    fs::write(&stamp, now).context("could not note that the step is done")
}

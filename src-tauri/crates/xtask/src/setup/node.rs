//! Node.js: the system's own when it is new enough, else one of the repository's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{once, packages};
use crate::exec::{capture, command, run};
use crate::place::{Place, variable};

/// The oldest Node.js that the interface's tools run on.
const OLDEST: (u32, u32) = (20, 19);

/// What is fetched from npm where the system's is older.
const OWN: &[&str] = &["node@22.23.3", "npm@11.19.1"];

/// A Node.js that is new enough.
#[derive(Debug)]
pub(crate) struct Node {
    /// Where its programs are, unless they are found anyway.
    own: Option<PathBuf>,
}

impl Node {
    /// Finds one, or installs one under `target/tools`.
    pub(crate) fn find(place: &Place) -> Result<Self> {
        let system = Self { own: None };
        if system.is_new_enough() {
            return Ok(system);
        }
        let programs = place.made("tools/node_modules/.bin");
        let own = Self { own: Some(programs.clone()) };
        if own.is_new_enough() {
            return Ok(own);
        }
        packages::install_these(&["nodejs", "npm"])?;
        if system.is_new_enough() {
            return Ok(system);
        }
        let tools = place.made("tools");
        std::fs::create_dir_all(&tools)?;
        let what = "installing a newer Node.js for this repository alone";
        once(place, "node", &[], &programs.join("node"), what, || {
            let here = tools.to_string_lossy();
            let args = [&["install", "--no-audit", "--no-fund", "--prefix", &here], OWN].concat();
            run(&mut command(&tools, "npm", &args))
        })?;
        Ok(own)
    }

    /// One of its programs, to be run in a folder.
    pub(crate) fn command(&self, folder: &Path, program: &str, args: &[&str]) -> Command {
        let mut words = command(folder, self.program(program), args);
        if let Some(path) = self.search_path() {
            words.env("PATH", path);
        }
        words
    }

    /// The search path by which other programs find it too, when it is not the system's.
    pub(crate) fn search_path(&self) -> Option<String> {
        let own = self.own.as_ref()?;
        Some(format!("{}:{}", own.display(), variable("PATH").unwrap_or_default()))
    }

    fn program(&self, name: &str) -> PathBuf {
        match &self.own {
            Some(folder) => folder.join(name),
            None => PathBuf::from(name),
        }
    }

    fn is_new_enough(&self) -> bool {
        let node = self.command(Path::new("."), "node", &["--version"]);
        let npm = self.command(Path::new("."), "npm", &["--version"]);
        let found = |mut program: Command| capture(&mut program);
        found(npm).is_ok() && found(node).and_then(|text| version(&text)).is_ok_and(|v| v >= OLDEST)
    }
}

fn version(text: &str) -> Result<(u32, u32)> {
    let mut numbers = text.trim().trim_start_matches('v').split('.').map(str::parse);
    let major = numbers.next().context("no version")??;
    let minor = numbers.next().context("no minor version")??;
    Ok((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("v20.20.2\n").unwrap() >= OLDEST);
        assert!(version("v22.1.0").unwrap() >= OLDEST);
        assert!(version("v18.20.4").unwrap() < OLDEST);
        assert!(version("v20.9.0").unwrap() < OLDEST);
        assert!(version("node").is_err());
    }
}

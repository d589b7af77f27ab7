//! Where things are: the repository, what is built from it, and the environment.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The repository and where its output goes.
#[derive(Debug)]
pub(crate) struct Place {
    /// The folder with the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) cargo_target: PathBuf,
}

impl Place {
    /// Finds the repository from where this tool was built.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .find(|folder| folder.join("Cargo.lock").is_file())
            .context("there is no Cargo.lock above this tool's sources")?
            .to_path_buf();
        let cargo_target = match variable("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, cargo_target })
    }

    /// A file or folder of the repository.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A file or folder that this tool makes; never committed.
    pub(crate) fn made(&self, path: &str) -> PathBuf {
        self.root.join("target").join(path)
    }
}

/// A variable of the environment, if it is set to something.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether windows have a screen to appear on.
pub(crate) fn has_display() -> bool {
    variable("DISPLAY").is_some() || variable("WAYLAND_DISPLAY").is_some()
}

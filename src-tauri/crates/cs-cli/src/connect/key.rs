//! The key file of an agent.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use cs_model::Secret;
use serde::Deserialize;

/// The most bytes of a key file that are read.
const MOST: u64 = 64 * 1024;

/// What an agent proves itself with.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: Secret,
}

/// What `countersign credential issue --json` prints and `--save` writes; more may stand in it.
#[derive(Deserialize)]
struct KeyFile {
    key_id: String,
    secret: String,
}

impl Key {
    /// Reads a key file. The text in it is never part of an error.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let file = File::open(path).with_context(|| {
            format!("could not open the key file {shown}: make one with `countersign credential issue AGENT --tenant TENANT --save FILE`")
        })?;
        if is_open_to_others(&file) {
            eprintln!("countersign: others can read {shown}; `chmod 600` it");
        }
        let mut text = String::new();
        file.take(MOST)
            .read_to_string(&mut text)
            .with_context(|| format!("could not read the key file {shown}"))?;
        let Some(key) = Self::parse(text.as_bytes()) else {
            bail!(
                "the key file {shown} is not the JSON that `credential issue` writes: an object with `key_id` and `secret`"
            );
        };
        Ok(key)
    }

    /// The key in a text.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let KeyFile { key_id, secret } = serde_json::from_slice(text).ok()?;
        Some(Self { id: key_id, secret: Secret::from_text(secret) })
    }
}

#[cfg(unix)]
pub(super) fn is_open_to_others(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_open_to_others(_: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_broken_key_file_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, r#"{"key_id": "csk_1", "secret": ["css_hidden"]}"#).unwrap();
        let problem = format!("{:#}", Key::read(&path).unwrap_err());
        assert!(problem.contains("is not the JSON"), "{problem}");
        assert!(!problem.contains("css_hidden"), "{problem}");
    }
}

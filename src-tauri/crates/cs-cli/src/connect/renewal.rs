//! The key that requests are signed with, and the one that takes its place.
//!
//! The gateway hands a new key over in time, to whoever proves the old one. It stands in the key
//! file, whole, before anything is signed with it: whatever happens in between, the file has a key
//! that is good. What belongs to a session goes on with the key that opened it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::Mutex as TurnMutex;
use tokio::time::Instant;

use super::key::Key;

/// How often it is asked for a new key while nothing else gives cause to.
const PACE: Duration = Duration::from_secs(600);

/// The most bytes of what is handed over.
pub(super) const MOST: usize = 16 * 1024;

/// The keys of one agent.
#[derive(Debug)]
pub(super) struct Keys {
    file: PathBuf,
    held: Mutex<Held>,
    /// Held by whoever asks for a new one, so that it is asked for once.
    pub(super) asking: TurnMutex<()>,
}

#[derive(Debug)]
struct Held {
    current: Arc<Key>,
    newer: Option<Arc<Key>>,
    asked: Option<Instant>,
}

impl Keys {
    /// The key of a file, which is followed where it is a link.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let current = Arc::new(Key::read(path)?);
        let file = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let held = Mutex::new(Held { current, newer: None, asked: None });
        Ok(Self { file, held, asking: TurnMutex::default() })
    }

    /// A key that stands in no file.
    #[cfg(test)]
    pub(super) fn of(key: Key) -> Self {
        let held = Mutex::new(Held { current: Arc::new(key), newer: None, asked: None });
        Self { file: PathBuf::new(), held, asking: TurnMutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key to sign with.
    pub(super) fn current(&self) -> Arc<Key> {
        Arc::clone(&self.held().current)
    }

    /// Whether it is time to ask for a new key. It is noted as asked for then.
    pub(super) fn is_due(&self, at_once: bool) -> bool {
        let (mut held, now) = (self.held(), Instant::now());
        let due = at_once || held.asked.is_none_or(|at| now.duration_since(at) >= PACE);
        if due && held.newer.is_none() {
            held.asked = Some(now);
        }
        due && held.newer.is_none()
    }

    /// Takes what another copy of the agent may have put into the file. Says whether it was
    /// another key.
    pub(super) fn look_again(&self) -> bool {
        let Ok(found) = Key::read(&self.file) else { return false };
        let mut held = self.held();
        let is_new = found.id != held.current.id;
        if is_new {
            held.newer = Some(Arc::new(found));
        }
        is_new
    }

    /// Keeps a key that was handed over: in the file first.
    pub(super) fn keep(&self, text: &[u8]) -> Result<()> {
        let new = Key::parse(text).context("what the gateway handed over is no key")?;
        put(&self.file, text)?;
        self.held().newer = Some(Arc::new(new));
        Ok(())
    }

    /// Signs with the newer key from here on. Says whether there was one.
    pub(super) fn adopt(&self) -> bool {
        let mut held = self.held();
        match held.newer.take() {
            Some(newer) => {
                held.current = newer;
                true
            }
            None => false,
        }
    }
}

/// Puts a text into the place of a file, all of it or nothing, for nobody else to read.
fn put(path: &Path, text: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.new", std::process::id()));
    let written = (|| {
        // What a process of this number left behind is not followed anywhere.
        drop(fs::remove_file(&beside));
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(text)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        std::io::Result::Ok(())
    })();
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written.with_context(|| format!("could not put the new key into {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: &str) -> String {
        format!(r#"{{"key_id":"{id}","secret":"css_{id}"}}"#)
    }

    #[test]
    fn a_new_key_is_in_the_file_before_it_is_used_and_used_when_it_is_adopted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, text("old")).unwrap();
        let keys = Keys::read(&path).unwrap();
        assert!(!keys.adopt());
        keys.keep(text("new").as_bytes()).unwrap();
        assert_eq!(
            (keys.current().id.as_str(), Key::read(&path).unwrap().id.as_str()),
            ("old", "new")
        );
        assert!(!keys.is_due(true), "there is a newer one already");
        assert!(keys.adopt());
        assert_eq!(keys.current().id, "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_cannot_be_kept_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, text("old")).unwrap();
        let keys = Keys::read(&path).unwrap();
        assert!(keys.keep(b"{\"key_id\":1}").is_err());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("x"), "x").unwrap();
        assert!(keys.keep(text("new").as_bytes()).is_err());
        assert!(!keys.adopt());
        assert_eq!(keys.current().id, "old");
    }

    #[test]
    fn the_key_of_another_copy_of_the_agent_is_taken_over_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, text("old")).unwrap();
        let keys = Keys::read(&path).unwrap();
        assert!(!keys.look_again());
        fs::write(&path, text("other")).unwrap();
        assert!(keys.look_again() && keys.adopt());
        assert_eq!(keys.current().id, "other");
    }
}

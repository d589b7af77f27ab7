//! The folder that an installation lives in, and the right to be the only one in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::ControlError;

/// A home that this process has to itself until it is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    /// Takes a home, and makes the folder if there is none. `holder` is what a second process is
    /// told is in its way.
    pub(crate) fn take(path: &Path, holder: &str) -> Result<Self, ControlError> {
        let refused = |source: io::Error| explain(path, source);
        let path = std::path::absolute(path).map_err(refused)?;
        if !path.exists() {
            create_private(&path).map_err(refused)?;
        }
        keep_private(&path)?;
        let file = path.join("lock");
        let mut lock = open_lock(&file).map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = lock.take(200).read_to_string(&mut holder);
                let holder = cs_model::text::neutralise(holder.trim(), 100);
                return Err(ControlError::InUse { holder });
            }
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        }
        lock.set_len(0).map_err(refused)?;
        lock.rewind().map_err(refused)?;
        writeln!(lock, "{holder} (process {})", std::process::id()).map_err(refused)?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn registry(&self) -> PathBuf {
        self.path.join("registry.db")
    }

    pub(crate) fn sealed_secrets(&self) -> PathBuf {
        self.path.join("secrets.age")
    }

    /// Where operators find the files that they asked for.
    pub(crate) fn exports(&self) -> PathBuf {
        self.path.join("exports")
    }

    /// Where the sample server may work.
    pub(crate) fn workbench(&self) -> PathBuf {
        self.path.join("workbench")
    }
}

/// Where the control socket of a home is.
pub(crate) fn socket(home: &Path) -> PathBuf {
    home.join("control.sock")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the system has more kinds than we tell apart")]
fn explain(path: &Path, source: io::Error) -> ControlError {
    let home = path.display();
    let message = match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("the home `{home}` cannot be written to; check who owns it, or choose another")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("the disk that has the home `{home}` is full; make room and try again")
        }
        io::ErrorKind::NotADirectory => format!("the home `{home}` is not a folder"),
        _ => format!("the home `{home}` cannot be used"),
    };
    ControlError::unavailable(message, source)
}

fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(unix)]
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    // A folder below the user's profile inherits an access list that only has the user in it.
    fs::create_dir_all(path)
}

/// Closes a home that others could look into. A folder that has other things in it is left as it
/// is: it may be shared on purpose, and is refused.
#[cfg(unix)]
fn keep_private(path: &Path) -> Result<(), ControlError> {
    use std::os::unix::fs::PermissionsExt as _;
    let refused = |source: io::Error| explain(path, source);
    let found = fs::metadata(path).map_err(refused)?;
    if !found.is_dir() {
        return Err(refused(io::ErrorKind::NotADirectory.into()));
    }
    if found.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    let empty = fs::read_dir(path).map_err(refused)?.next().is_none();
    if !empty && !path.join("registry.db").exists() {
        return Err(ControlError::Unavailable {
            message: format!(
                "the home `{0}` can be read by other users and has other things in it; choose \
                 another, or close it with `chmod 700 {0}`",
                path.display()
            ),
            source: None,
        });
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(refused)
}

#[cfg(not(unix))]
fn keep_private(path: &Path) -> Result<(), ControlError> {
    let found = fs::metadata(path).map_err(|source| explain(path, source))?;
    if found.is_dir() { Ok(()) } else { Err(explain(path, io::ErrorKind::NotADirectory.into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_told_who_has_the_home() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let first = Home::take(&home, "the console").unwrap();
        match Home::take(&home, "`countersign apply`") {
            Err(ControlError::InUse { holder }) => {
                assert!(holder.starts_with("the console (process "), "{holder}");
            }
            other => panic!("{other:?}"),
        }
        drop(first);
        Home::take(&home, "`countersign apply`").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_home_is_closed_to_others_and_a_shared_folder_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

        let new = folder.path().join("a/b");
        Home::take(&new, "test").unwrap();
        assert_eq!(mode(&new), 0o700);

        let shared = folder.path().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::write(shared.join("letter.txt"), "x").unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(Home::take(&shared, "test"), Err(ControlError::Unavailable { .. })));
        assert_eq!(mode(&shared), 0o755);
        assert!(!shared.join("lock").exists());
    }

    #[test]
    fn a_home_that_is_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let refused = Home::take(&file, "test").unwrap_err().to_string();
        assert!(refused.contains("is not a folder"), "{refused}");
    }
}

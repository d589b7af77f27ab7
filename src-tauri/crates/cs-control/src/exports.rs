//! Files that operators take out of the console. A window may write none itself.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::ControlError;
use crate::home::create_private;

/// Writes a file into a folder that only its owner can look into. A file of that name that is
/// there is replaced, and never half.
pub(crate) async fn save(
    folder: PathBuf,
    name: String,
    text: String,
) -> Result<PathBuf, ControlError> {
    let path = folder.join(&name);
    let written = tokio::task::spawn_blocking(move || write(&folder, &name, &text)).await;
    match written {
        Ok(Ok(())) => Ok(path),
        Ok(Err(source)) => {
            let message = format!(
                "`{}` could not be written; look whether the disk is full and whose the folder is",
                path.display()
            );
            Err(ControlError::unavailable(message, source))
        }
        Err(source) => Err(ControlError::internal("write the file", source)),
    }
}

fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    if !folder.exists() {
        create_private(folder)?;
    }
    let draft = folder.join(format!(".{name}.part"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_is_closed_to_others_and_replaces_an_older_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("exports");
        for text in ["a long one", "short"] {
            let path = save(folder.clone(), "acme.csv".to_owned(), text.to_owned()).await.unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_folder_that_is_a_file_is_told() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("exports");
        fs::write(&folder, "x").unwrap();
        let refused = save(folder, "acme.csv".to_owned(), String::new()).await.unwrap_err();
        assert!(matches!(refused, ControlError::Unavailable { .. }), "{refused:?}");
    }
}

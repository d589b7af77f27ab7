//! `read_file` and `write_file`: text files of the folder, and no way out of it.

use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use cap_std::fs::{Dir, OpenOptions};
use serde::{Deserialize, Serialize};

use crate::Bench;
use crate::tool::Failed;

/// The most bytes of a file that is read or written.
const MOST: usize = 1024 * 1024;

/// What belongs to other tools, by the first part of a path.
pub(crate) const DATABASE: &str = "company.db";
pub(crate) const OUTBOX: &str = "outbox";
pub(crate) const SETTINGS: &str = "settings.json";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadArguments {
    path: String,
}

#[derive(Serialize)]
pub(crate) struct ReadResult {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<String>>,
}

/// Reads a text file, or lists a folder.
pub(crate) async fn read(bench: &Bench, asked: ReadArguments) -> Result<ReadResult, Failed> {
    let path = inside(&asked.path)?;
    blocking(bench, move |folder| {
        let shown = path.display().to_string();
        let about = folder.metadata(&path).map_err(explain)?;
        if about.is_dir() {
            let entries = Some(names(folder, &path).map_err(explain)?);
            return Ok(ReadResult { path: shown, text: None, entries });
        }
        if !about.is_file() {
            return Err(Failed::because("this is not a file"));
        }
        let mut bytes = Vec::new();
        let most = u64::try_from(MOST).unwrap_or(u64::MAX).saturating_add(1);
        let file = folder.open(&path).map_err(explain)?;
        file.take(most).read_to_end(&mut bytes).map_err(explain)?;
        if bytes.len() > MOST {
            return Err(Failed::because("the file is larger than 1 MiB"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(ReadResult { path: shown, text: Some(text), entries: None }),
            Err(_) => Err(Failed::because("this is not a text file")),
        }
    })
    .await
}

fn names(folder: &Dir, path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in folder.read_dir(path)?.take(1000) {
        let entry = entry?;
        let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
        names.push(format!("{}{slash}", entry.file_name().to_string_lossy()));
    }
    names.sort();
    Ok(names)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteArguments {
    path: String,
    content: String,
    #[serde(default)]
    append: bool,
}

#[derive(Serialize)]
pub(crate) struct WriteResult {
    path: String,
    bytes: usize,
}

/// Writes a text file.
pub(crate) async fn write(bench: &Bench, asked: WriteArguments) -> Result<WriteResult, Failed> {
    let WriteArguments { path, content, append } = asked;
    let path = inside(&path)?;
    if is_reserved(&path) {
        return Err(Failed::because(
            "the database, the outbox and the settings have their own tools",
        ));
    }
    if content.len() > MOST {
        return Err(Failed::because("the content is longer than 1 MiB"));
    }
    blocking(bench, move |folder| {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            folder.create_dir_all(parent).map_err(explain)?;
        }
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(append).truncate(!append);
        let mut file = folder.open_with(&path, &options).map_err(explain)?;
        file.write_all(content.as_bytes()).map_err(explain)?;
        Ok(WriteResult { path: path.display().to_string(), bytes: content.len() })
    })
    .await
}

/// A path that names something inside the folder. The folder itself refuses links that lead out
/// of it; this says what is wrong in words.
fn inside(path: &str) -> Result<PathBuf, Failed> {
    if path.len() > 1000 || path.contains('\0') {
        return Err(Failed::because("the path is not acceptable"));
    }
    let mut inside = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => inside.push(part),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(Failed::because("the path leads out of the workbench folder"));
            }
        }
    }
    if inside.as_os_str().is_empty() {
        inside.push(".");
    }
    Ok(inside)
}

// Some file systems take names for the same that differ in case, or in how a letter is written.
fn is_reserved(path: &Path) -> bool {
    let first = path.components().next().map(|part| part.as_os_str().to_string_lossy());
    let first = first.unwrap_or_default().to_uppercase().to_lowercase();
    first == OUTBOX || first == SETTINGS || first.starts_with(DATABASE)
}

/// What went wrong, in words that tell nothing of this machine.
#[expect(clippy::needless_pass_by_value, reason = "it ends the error that it is given")]
pub(crate) fn explain(error: io::Error) -> Failed {
    const KNOWN: &[(io::ErrorKind, &str)] = &[
        (io::ErrorKind::NotFound, "there is no such file"),
        (io::ErrorKind::PermissionDenied, "this may not be read or written"),
        (io::ErrorKind::StorageFull, "there is no room left"),
        (io::ErrorKind::IsADirectory, "this is a folder"),
    ];
    let known = KNOWN.iter().find(|(kind, _)| *kind == error.kind());
    Failed::because(known.map_or("the file system refused it", |(_, why)| why))
}

/// Works on the folder where blocking is no harm.
pub(crate) async fn blocking<T: Send + 'static>(
    bench: &Bench,
    work: impl FnOnce(&Dir) -> Result<T, Failed> + Send + 'static,
) -> Result<T, Failed> {
    let folder = std::sync::Arc::clone(&bench.folder);
    let done = tokio::task::spawn_blocking(move || work(&folder)).await;
    done.unwrap_or_else(|_| Err(Failed::because("the tool failed")))
}

//! The folder with the registry.

use std::path::PathBuf;

use crate::ambient;
use crate::args::Everywhere;
use crate::failure::{Done, Problem};

/// The folder that was named, or the one where programs of this user keep their data.
pub(crate) fn folder(everywhere: &Everywhere) -> Done<PathBuf> {
    if let Some(home) = &everywhere.home {
        return Ok(std::path::absolute(home).map_err(anyhow::Error::from)?);
    }
    let data = if cfg!(target_os = "macos") {
        ambient::variable("HOME")
            .map(|home| PathBuf::from(home).join("Library/Application Support"))
    } else if cfg!(windows) {
        ambient::variable("LOCALAPPDATA").map(PathBuf::from)
    } else {
        let given = ambient::variable("XDG_DATA_HOME").map(PathBuf::from);
        given.filter(|folder| folder.is_absolute()).or_else(|| {
            ambient::variable("HOME").map(|home| PathBuf::from(home).join(".local/share"))
        })
    };
    data.map(|data| data.join("countersign"))
        .ok_or_else(|| Problem::invalid("this user has no home folder; name one with `--home DIR`"))
}

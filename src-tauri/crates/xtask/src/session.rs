//! A desktop session of one's own, where this machine has none or must not be touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::exec::command;
use crate::place::{Place, variable};
use crate::setup::Node;

const SCRIPT: &str = include_str!("session.sh");

/// A session whose home is kept in a folder under `target`.
#[derive(Debug)]
pub(crate) struct Session {
    folder: PathBuf,
    screen: &'static str,
}

/// A screen on which the console's window, as it opens, has all the room.
const FITTING: &str = "1280x800x24";

/// A screen with room for any window of the tests.
const LARGE: &str = "1920x1080x24";

impl Session {
    /// One that keeps its keyring from one time to the next.
    pub(crate) fn kept(place: &Place, name: &str) -> Result<Self> {
        let folder = place.made(name);
        fs::create_dir_all(&folder).context("could not make the session's folder")?;
        Ok(Self { folder, screen: FITTING })
    }

    /// One that knows nothing of the last time.
    pub(crate) fn fresh(place: &Place, name: &str) -> Result<Self> {
        let folder = place.made(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).context("could not remove the last session's folder")?;
        }
        Ok(Self { screen: LARGE, ..Self::kept(place, name)? })
    }

    /// A command inside the session. Cargo and Node.js are found although the home is another.
    pub(crate) fn command(&self, place: &Place, node: &Node, words: &[&str]) -> Command {
        let folder = self.folder.to_string_lossy();
        let args = [&["-c", SCRIPT, "session.sh", &folder, self.screen], words].concat();
        let mut command = command(&place.root, "bash", &args);
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let home = variable("HOME").map(|home| Path::new(&home).join(folder));
            if let Some(found) = variable(name).map(PathBuf::from).or(home) {
                command.env(name, found);
            }
        }
        if let Some(path) = node.search_path() {
            command.env("PATH", path);
        }
        command
    }

    /// A picture of its screen, once there is something on it. False when there is nothing yet.
    pub(crate) fn picture(&self, to: &Path) -> Result<bool> {
        let display = fs::read_to_string(self.folder.join("display"))?;
        let mut lines = display.lines();
        let mut import = command(&self.folder, "import", &["-window", "root"]);
        import.arg(to).env("DISPLAY", lines.next().context("the session has no display")?);
        import.env("XAUTHORITY", lines.next().unwrap_or_default());
        crate::exec::capture(&mut import)?;
        let colours = command(&self.folder, "identify", &["-format", "%k"]).arg(to).output()?;
        let colours = String::from_utf8_lossy(&colours.stdout).trim().parse().unwrap_or(0_u32);
        Ok(colours > 16)
    }
}

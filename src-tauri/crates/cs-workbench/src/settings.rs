//! `modify_mcp_config`: the server's own settings, a closed set of keys.

use std::io::{self, Read};

use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};

use crate::Bench;
use crate::files::{self, SETTINGS};
use crate::mail;
use crate::tool::Failed;

/// The settings, and what they are until somebody changes them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The sender of messages.
    pub(crate) mail_from: String,
    /// How long fetching a page may take.
    pub(crate) fetch_seconds: u32,
    /// How many matches a search gives unless told.
    pub(crate) search_limit: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { mail_from: "workbench@example.com".to_owned(), fetch_seconds: 10, search_limit: 20 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    #[serde(default)]
    set: Changes,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    mail_from: Option<String>,
    fetch_seconds: Option<u32>,
    search_limit: Option<u32>,
}

#[derive(Serialize)]
pub(crate) struct Modified {
    settings: Settings,
    changed: bool,
}

/// The settings of a new folder, as text.
pub(crate) fn initial() -> String {
    written(&Settings::default()).unwrap_or_default()
}

/// Reads the settings.
pub(crate) async fn read(bench: &Bench) -> Result<Settings, Failed> {
    files::blocking(bench, load).await
}

/// Changes the settings and gives all of them.
pub(crate) async fn modify(bench: &Bench, asked: Arguments) -> Result<Modified, Failed> {
    files::blocking(bench, move |folder| {
        let before = load(folder)?;
        let settings = Settings {
            mail_from: asked.set.mail_from.unwrap_or_else(|| before.mail_from.clone()),
            fetch_seconds: asked.set.fetch_seconds.unwrap_or(before.fetch_seconds),
            search_limit: asked.set.search_limit.unwrap_or(before.search_limit),
        };
        check(&settings)?;
        let changed = settings != before;
        if changed {
            let text = written(&settings).ok_or_else(unreadable)?;
            // Another process that reads meanwhile sees the old settings or the new ones.
            let fresh = format!("{SETTINGS}.new");
            folder.write(&fresh, text).map_err(files::explain)?;
            folder.rename(&fresh, folder, SETTINGS).map_err(files::explain)?;
        }
        Ok(Modified { settings, changed })
    })
    .await
}

fn load(folder: &Dir) -> Result<Settings, Failed> {
    let mut text = String::new();
    match folder.open(SETTINGS) {
        Ok(file) => file.take(65_536).read_to_string(&mut text).map_err(files::explain)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(files::explain(error)),
    };
    let settings = serde_json::from_str(&text).map_err(|_| unreadable())?;
    check(&settings)?;
    Ok(settings)
}

fn check(settings: &Settings) -> Result<(), Failed> {
    if !mail::is_address(&settings.mail_from) {
        return Err(Failed::because("`mail_from` is not an address"));
    }
    if !(1..=10).contains(&settings.fetch_seconds) {
        return Err(Failed::because("`fetch_seconds` is between 1 and 10"));
    }
    if !(1..=100).contains(&settings.search_limit) {
        return Err(Failed::because("`search_limit` is between 1 and 100"));
    }
    Ok(())
}

fn unreadable() -> Failed {
    Failed::because("the settings file cannot be read")
}

fn written(settings: &Settings) -> Option<String> {
    serde_json::to_string_pretty(settings).ok().map(|text| text + "\n")
}

//! `countersign apply` and `countersign export`: the registry as a file.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::answer::{list, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::{Output, clean, line};

/// Makes the registry what a file says; everything or nothing. A file that asks less of those who
/// sign takes an owner's passphrase
#[derive(Debug, clap::Args)]
pub(crate) struct Apply {
    /// The file, in YAML; `-` is standard input
    file: PathBuf,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
}

/// Prints the registry as a file that `apply` takes; there is no secret in it
#[derive(Debug, clap::Args)]
pub(crate) struct Export {}

pub(crate) async fn apply(desk: &Desk, Apply { file, dry_run }: Apply) -> Done {
    let shown = file.display();
    let read = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(&file)
    };
    let content = read.with_context(|| format!("could not read {shown}"))?;
    let args = json!({ "text": content, "dry_run": dry_run });
    desk.tell_as_owner("apply", args, |applied| in_words(applied, dry_run)).await
}

pub(crate) async fn export(desk: &Desk) -> Done {
    let exported = desk.ask("export", json!({})).await?;
    match desk.output {
        Output::Json => line(&exported.to_string()),
        Output::Person => line(text(&exported, "/text").trim_end()),
    }
    Ok(())
}

fn in_words(applied: &Value, dry_run: bool) -> String {
    let changes: Vec<String> = list(applied, "/changes")
        .iter()
        .map(|change| format!("  {}\n", clean(&text(change, ""))))
        .collect();
    let version = text(applied, "/policy_version");
    match (changes.is_empty(), dry_run) {
        (true, _) => format!("nothing to change; version {version} is in force"),
        (false, true) => format!("would change:\n{}", changes.concat()),
        (false, false) => format!("changed:\n{}version {version} enforced", changes.concat()),
    }
}

//! `countersign approval webhook`: a web server that is told when calls begin to wait.

use std::io::Read as _;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::answer::{moment, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::fields;

/// The most bytes of a key that are read.
const MOST: u64 = 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum Webhook {
    /// Has a web server told when calls begin to wait: how many, and of which tenant, nothing else
    Set {
        /// Its URL: https, or http on this machine
        url: String,
        /// Sign with the key (whsec_...) that is read from standard input, as Standard Webhooks has
        /// it; without, what was signed before still is
        #[arg(long, conflicts_with = "unsigned")]
        sign: bool,
        /// Sign no more
        #[arg(long)]
        unsigned: bool,
    },
    /// Shows who is told, and how the last notice fared
    Show,
    /// Tells the web server once that no call waits
    Test,
    /// Tells nobody any more
    Remove,
}

pub(crate) async fn run(desk: &Desk, command: Webhook) -> Done {
    match command {
        Webhook::Set { url, sign, unsigned } => {
            let mut args = json!({ "url": url, "unsigned": unsigned });
            if let (true, Some(members)) = (sign, args.as_object_mut()) {
                let mut key = String::new();
                let read = std::io::stdin().take(MOST).read_to_string(&mut key);
                read.context("could not read the key from standard input")?;
                members.insert("key".to_owned(), json!(key.trim_end()));
            }
            desk.tell("webhook_set", args, in_words).await
        }
        Webhook::Show => desk.tell("webhook_show", json!({}), in_words).await,
        Webhook::Test => {
            let told = |view: &Value| format!("{} took the notice", text(view, "/origin"));
            desk.tell("webhook_test", json!({}), told).await
        }
        Webhook::Remove => desk.tell("webhook_remove", json!({}), in_words).await,
    }
}

fn in_words(view: &Value) -> String {
    let origin = text(view, "/origin");
    if origin.is_empty() {
        return "nobody is told of waiting calls\n".to_owned();
    }
    let last = match (moment(view, "/last/at"), text(view, "/last/problem")) {
        (at, problem) if !problem.is_empty() => format!("not taken at {at}: {problem}"),
        (at, _) if !at.is_empty() => format!("taken at {at}"),
        _ => String::new(),
    };
    fields(&[
        ("told of waiting calls", origin),
        ("signed", text(view, "/signed")),
        ("since", moment(view, "/changed")),
        ("last notice", last),
    ])
}

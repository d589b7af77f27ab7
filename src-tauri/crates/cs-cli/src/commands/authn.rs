//! `countersign authn`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::table;

#[derive(Debug, Subcommand)]
pub(crate) enum Authn {
    /// Shows who proved who they are in the last 24 hours, by method, and failures by reason
    Show {
        #[command(flatten)]
        which: Which,
    },
}

pub(crate) async fn run(desk: &Desk, command: Authn) -> Done {
    match command {
        Authn::Show { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            desk.tell("authn_overview", json!({ "tenant": tenant.id }), in_words).await
        }
    }
}

fn in_words(overview: &Value) -> String {
    let method = |it: &Value| {
        vec![text(it, "/method"), text(it, "/accepted"), text(it, "/refused"), moment(it, "/last")]
    };
    let failure = |it: &Value| {
        vec![
            text(it, "/count"),
            text(it, "/sentence"),
            moment(it, "/last"),
            text(it, "/claimed"),
            text(it, "/client"),
        ]
    };
    let methods: Vec<Vec<String>> = list(overview, "/methods").iter().map(method).collect();
    let failures: Vec<Vec<String>> = list(overview, "/failures").iter().map(failure).collect();
    let methods = table(&["method", "accepted", "refused", "last"], &methods, "");
    let heading = ["refused", "why", "last", "claimed to be", "from"];
    let failures = table(&heading, &failures, "nobody was refused\n");
    format!("since {}\n\n{methods}\n{failures}", moment(overview, "/since"))
}

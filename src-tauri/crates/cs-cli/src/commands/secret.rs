//! `countersign secret`: what servers are given and nobody else sees.

use std::io::Read as _;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::clean;

/// The most bytes of a secret.
const MOST: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Lists the names of a tenant's secrets
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Sets a secret to what is read from standard input
    Set {
        name: String,
        #[command(flatten)]
        which: Which,
    },
}

pub(crate) async fn run(desk: &Desk, command: Secret) -> Done {
    match command {
        Secret::List { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let words = |names: &Value| {
                let names: Vec<String> =
                    list(names, "").iter().map(|name| clean(&text(name, ""))).collect();
                if names.is_empty() { "no secrets yet".to_owned() } else { names.join("\n") }
            };
            desk.tell("tenant_secret_list", json!({ "tenant": tenant.id }), words).await
        }
        Secret::Set { name, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let mut value = String::new();
            let read = std::io::stdin().take(MOST).read_to_string(&mut value);
            read.context("could not read the secret from standard input")?;
            let value = value.strip_suffix('\n').unwrap_or(&value);
            let args = json!({ "tenant": tenant.id, "name": name, "value": value });
            desk.tell("tenant_secret_set", args, |_| "kept".to_owned()).await
        }
    }
}

//! `countersign issuer`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::{Done, Problem};
use crate::output::{fields, table};
use crate::span;

#[derive(Debug, Subcommand)]
pub(crate) enum Issuer {
    /// Shows the built-in issuer of a tenant: its addresses, its keys and its clients
    Show {
        #[command(flatten)]
        which: Which,
    },
    /// Has the gateway issue tokens for a tenant, or not any more
    Set(Set),
    /// Has the next key sign; what the last one signed stays good until it ends
    Rotate {
        #[command(flatten)]
        which: Which,
    },
}

/// What to change.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true)
    .args(["enable", "disable", "lifetime"])))]
pub(crate) struct Set {
    /// Issue tokens
    #[arg(long)]
    enable: bool,
    /// Issue no tokens; those that it issued end at once
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// How long a token lives: 10m unless said otherwise, between 5m and 15m
    #[arg(long, value_parser = span::seconds)]
    lifetime: Option<u64>,
    #[command(flatten)]
    which: Which,
}

pub(crate) async fn run(desk: &Desk, command: Issuer) -> Done {
    match command {
        Issuer::Show { which } => tell(desk, "issuer_show", &which).await,
        Issuer::Rotate { which } => tell(desk, "issuer_rotate", &which).await,
        Issuer::Set(change) => set(desk, &change).await,
    }
}

async fn tell(desk: &Desk, command: &str, which: &Which) -> Done {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    desk.tell(command, json!({ "tenant": tenant.id }), shown).await
}

async fn set(desk: &Desk, change: &Set) -> Done {
    let tenant = desk.tenant(change.which.tenant.as_deref()).await?;
    let now = desk.ask("issuer_show", json!({ "tenant": tenant.id })).await?;
    let (Some(enabled), Some(secs)) = (
        now.pointer("/enabled").and_then(Value::as_bool),
        now.pointer("/token_secs").and_then(Value::as_u64),
    ) else {
        return Err(Problem::invalid("the core answered without the settings".to_owned()));
    };
    let enabled = (enabled || change.enable) && !change.disable;
    let secs = change.lifetime.unwrap_or(secs);
    let args = json!({ "tenant": tenant.id, "enabled": enabled, "token_secs": secs });
    desk.tell("issuer_set", args, shown).await
}

fn shown(it: &Value) -> String {
    let enabled = it.pointer("/enabled").and_then(Value::as_bool) == Some(true);
    let known = fields(&[
        ("issues tokens", if enabled { "yes" } else { "no" }.to_owned()),
        ("issuer", text(it, "/issuer")),
        ("metadata", text(it, "/metadata")),
        ("tokens live", format!("{} s", text(it, "/token_secs"))),
        (
            "issued, refused",
            format!("{}, {} in 24 h", text(it, "/issued_day"), text(it, "/refused_day")),
        ),
    ]);
    let key = |key: &Value| {
        vec![
            text(key, "/key_id"),
            text(key, "/state"),
            moment(key, "/created"),
            moment(key, "/retires"),
        ]
    };
    let keys: Vec<Vec<String>> = list(it, "/keys").iter().map(key).collect();
    let client = |one: &Value| {
        vec![
            text(one, "/key_id"),
            text(one, "/proof/method"),
            text(one, "/state"),
            moment(one, "/expires"),
            moment(one, "/last_used"),
        ]
    };
    let clients: Vec<Vec<String>> = list(it, "/clients").iter().map(client).collect();
    let keys = table(&["key", "state", "made", "retires"], &keys, "no keys while it is disabled");
    let empty =
        "no clients yet; register one with `countersign credential issue AGENT --kind client`";
    let clients = table(&["client", "method", "state", "expires", "last used"], &clients, empty);
    format!("{known}\n{keys}\n{clients}")
}

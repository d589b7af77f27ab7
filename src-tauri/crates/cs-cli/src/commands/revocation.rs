//! `countersign revocation`.

use clap::{ArgGroup, Subcommand};
use serde_json::{Value, json};

use super::authority::authority;
use super::tenant::Which;
use crate::ambient;
use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::{clean, counted, table};

#[derive(Debug, Subcommand)]
pub(crate) enum Revocation {
    /// Lists what was revoked before its time
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Revokes tokens or certificates of others, from the very next request on
    Add(Add),
}

/// What is revoked.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("what").required(true).args(["token", "key", "subject", "all", "certificate"])))]
pub(crate) struct Add {
    /// The issuer of the tokens, letter by letter
    #[arg(long, value_name = "URL", required_unless_present = "certificate")]
    issuer: Option<String>,
    /// One token, by its `jti`, or by the SHA-256 of its text where it has none
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    /// Everything that one of its keys signed, by the key's `kid`
    #[arg(long, value_name = "KID")]
    key: Option<String>,
    /// Everything of one subject up to a moment
    #[arg(long)]
    subject: Option<String>,
    /// Everything up to a moment
    #[arg(long)]
    all: bool,
    /// One certificate of an authority of others, by its serial number in hexadecimal digits
    #[arg(long, value_name = "SERIAL", requires = "authority", conflicts_with = "issuer")]
    certificate: Option<String>,
    /// That authority, by name
    #[arg(long, value_name = "NAME", requires = "certificate")]
    authority: Option<String>,
    /// That moment, such as `2026-07-28T09:30:00.000Z`; now, unless said otherwise
    #[arg(long, value_name = "TIME", conflicts_with_all = ["token", "key"])]
    until: Option<String>,
    /// Why, for the log
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    which: Which,
}

pub(crate) async fn run(desk: &Desk, command: Revocation) -> Done {
    match command {
        Revocation::List { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            desk.tell("revocation_list", json!({ "tenant": tenant.id }), listed).await
        }
        Revocation::Add(add) => {
            let tenant = desk.tenant(add.which.tenant.as_deref()).await?;
            let what = match (&add.certificate, &add.authority) {
                (Some(serial), Some(name)) => {
                    let found = authority(desk, &tenant, name).await?;
                    let id = text(&found, "/id");
                    json!({ "kind": "certificate", "authority": id, "serial": serial })
                }
                _ => what(&add),
            };
            let args = json!({ "tenant": tenant.id, "what": what, "reason": add.reason });
            desk.tell("revocation_add", args, |it| revoked(&text(it, "/sentence"))).await
        }
    }
}

fn what(add: &Add) -> Value {
    let issuer = &add.issuer;
    let until = add.until.clone().unwrap_or_else(|| ambient::now().to_string());
    match (&add.token, &add.key, &add.subject) {
        (Some(id), _, _) => json!({ "kind": "token", "issuer": issuer, "id": id }),
        (None, Some(key), _) => json!({ "kind": "key", "issuer": issuer, "key_id": key }),
        (None, None, Some(subject)) => {
            json!({ "kind": "subject", "issuer": issuer, "subject": subject, "until": until })
        }
        (None, None, None) => json!({ "kind": "issuer", "issuer": issuer, "until": until }),
    }
}

fn revoked(what: &str) -> String {
    format!("revoked {}", clean(what))
}

/// What was withdrawn together, in words.
pub(crate) fn all(answer: &Value) -> String {
    let tokens: Vec<String> = list(answer, "/revocations")
        .iter()
        .map(|it| format!("{}\n", revoked(&text(it, "/sentence"))))
        .collect();
    let number = |at: &str| answer.pointer(at).and_then(Value::as_u64).unwrap_or_default();
    let credentials = counted(number("/credentials"), "credential");
    let sessions = counted(number("/sessions"), "session");
    format!("{credentials} revoked, {sessions} ended\n{}", tokens.concat())
}

fn listed(revocations: &Value) -> String {
    let row = |it: &Value| {
        vec![
            moment(it, "/created"),
            text(it, "/sentence"),
            text(it, "/reason"),
            moment(it, "/ends"),
        ]
    };
    let rows: Vec<Vec<String>> = list(revocations, "").iter().map(row).collect();
    table(&["when", "what", "why", "until"], &rows, "nothing is revoked before its time")
}

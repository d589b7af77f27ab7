//! `countersign provider`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::provider_settings::{Product, Rules};
use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::{Desk, Named, find};
use crate::failure::Done;
use crate::output::{clean, fields, pretty, table};

/// The most bytes of a token that is read.
const MOST_TOKEN: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum Provider {
    /// Lists the identity providers of a tenant, and how the gateway fares with each
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Asks an identity provider what it says of itself, and suggests settings; changes nothing
    Discover {
        /// Its issuer, letter by letter
        issuer: String,
        /// Which product it is
        #[arg(long, default_value = "generic")]
        preset: Product,
        /// It may be at a private address, or on this machine
        #[arg(long)]
        private_network: bool,
    },
    /// Adds an identity provider; from then on its tokens are accepted
    ///
    /// Without `--jwks-uri` and `--settings`, it is asked for its settings first.
    Add {
        name: String,
        /// Keep its tokens refused for now
        #[arg(long)]
        disabled: bool,
        #[command(flatten)]
        rules: Box<Rules>,
        #[command(flatten)]
        which: Which,
    },
    /// Changes what is given of an identity provider, and leaves the rest as it is
    Update {
        name: String,
        /// Another name
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        /// Accept its tokens
        #[arg(long)]
        enable: bool,
        /// Refuse its tokens, and end the sessions of its subjects
        #[arg(long, conflicts_with = "enable")]
        disable: bool,
        #[command(flatten)]
        rules: Box<Rules>,
        #[command(flatten)]
        which: Which,
    },
    /// Says what would become of a token, check by check; nothing is let in by it
    Test {
        name: String,
        /// The file with the token; standard input, unless said otherwise
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
        /// The task at whose endpoint it is presented
        #[arg(long, value_name = "TASK")]
        task: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Fetches the keys of an identity provider now
    Refresh {
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Removes an identity provider, with the credentials of its subjects
    Remove {
        name: String,
        #[command(flatten)]
        which: Which,
    },
}

pub(crate) async fn run(desk: &Desk, command: Provider) -> Done {
    match command {
        Provider::List { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            desk.tell("provider_list", json!({ "tenant": tenant.id }), listed).await
        }
        Provider::Add { name, disabled, rules, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let suggested = match rules.to_discover() {
                Some(args) => desk.ask("provider_discover", args).await?.get("settings").cloned(),
                None => None,
            };
            let settings = rules.settings(suggested)?;
            let args = json!({ "tenant": tenant.id, "name": name, "settings": settings,
                               "enabled": !disabled });
            desk.tell("provider_create", args, one).await
        }
        Provider::Update { name, rename, enable, disable, rules, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let old = provider(desk, &tenant, &name).await?;
            let mut args = json!({ "tenant": tenant.id, "provider": old.get("id") });
            let mut set = |member: &str, value: Value| {
                if let Some(members) = args.as_object_mut() {
                    members.insert(member.to_owned(), value);
                }
            };
            if let Some(name) = rename {
                set("name", json!(name));
            }
            if enable || disable {
                set("enabled", json!(enable));
            }
            if rules.say_something() {
                set("settings", rules.settings(old.get("settings").cloned())?);
            }
            desk.tell("provider_update", args, one).await
        }
        Provider::Discover { issuer, preset, private_network } => {
            let args = json!({ "issuer": issuer, "preset": preset.word(),
                               "private_network": private_network });
            desk.tell("provider_discover", args, discovered).await
        }
        Provider::Test { name, token_file, task, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let found = provider(desk, &tenant, &name).await?;
            let mut args = json!({ "tenant": tenant.id, "provider": found.get("id"),
                                   "token": read(token_file.as_deref())? });
            if let (Some(task), Some(members)) = (task, args.as_object_mut()) {
                let ids = desk.tasks(&tenant, &[task]).await?;
                members.insert("task".to_owned(), json!(ids.first()));
            }
            desk.tell("provider_test", args, report).await
        }
        Provider::Refresh { name, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let found = provider(desk, &tenant, &name).await?;
            let args = json!({ "tenant": tenant.id, "provider": found.get("id") });
            desk.tell("provider_refresh", args, one).await
        }
        Provider::Remove { name, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let found = provider(desk, &tenant, &name).await?;
            let args = json!({ "tenant": tenant.id, "provider": found.get("id") });
            desk.tell("provider_remove", args, super::enforced).await
        }
    }
}

/// The provider of this name, as it was answered.
pub(crate) async fn provider(desk: &Desk, tenant: &Named, name: &str) -> Done<Value> {
    let all = desk.ask("provider_list", json!({ "tenant": tenant.id })).await?;
    let see = "countersign provider list";
    find(list(&all, ""), name, "identity provider", see).cloned()
}

/// A token, from a file or from standard input: never from an argument, which others can see.
fn read(file: Option<&Path>) -> Done<String> {
    let read = match file {
        Some(path) => std::fs::read_to_string(path),
        None => std::io::read_to_string(std::io::stdin().take(MOST_TOKEN)),
    };
    Ok(read.context("could not read the token")?)
}

fn discovered(found: &Value) -> String {
    let notes: Vec<String> =
        list(found, "/notes").iter().map(|it| format!("- {}\n", clean(&text(it, "")))).collect();
    let settings = found.get("settings").map(Value::to_string).unwrap_or_default();
    format!("{}\n{}", pretty(&settings), notes.concat())
}

fn report(report: &Value) -> String {
    let passed = |check: &Value| match check.get("passed").and_then(Value::as_bool) {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "-",
    };
    let row = |it: &Value| vec![text(it, "/name"), passed(it).to_owned(), text(it, "/detail")];
    let rows: Vec<Vec<String>> = list(report, "/checks").iter().map(row).collect();
    let verdict = match report.get("verdict").and_then(Value::as_bool) {
        Some(true) => "would be let in",
        Some(false) | None => "would be refused",
    };
    let about = fields(&[
        ("verdict", verdict.to_owned()),
        ("agent", text(report, "/agent_name")),
        ("roles", texts(report, "/roles")),
        ("tasks", texts(report, "/tasks")),
        ("scopes", texts(report, "/scopes")),
    ]);
    format!("{about}\n{}", table(&["check", "holds", ""], &rows, ""))
}

fn listed(providers: &Value) -> String {
    let row = |provider: &Value| {
        vec![
            text(provider, "/name"),
            text(provider, "/enabled"),
            text(provider, "/settings/issuer"),
            text(provider, "/subjects"),
            text(provider, "/status/standing"),
            moment(provider, "/status/fetched"),
            text(provider, "/status/last_error"),
        ]
    };
    let rows: Vec<Vec<String>> = list(providers, "").iter().map(row).collect();
    let heading = ["name", "enabled", "issuer", "subjects", "keys", "fetched", "problem"];
    let empty = "no identity providers yet; add one with `countersign provider add NAME`";
    table(&heading, &rows, empty)
}

/// The texts in a list, separated by commas.
fn texts(value: &Value, pointer: &str) -> String {
    let all: Vec<String> = list(value, pointer).iter().map(|it| text(it, "")).collect();
    clean(&all.join(", "))
}

fn one(provider: &Value) -> String {
    let joined = |pointer: &str| texts(provider, pointer);
    let seconds = |pointer: &str| {
        let number = provider.pointer(pointer).and_then(Value::as_u64);
        number.map(crate::span::shown).unwrap_or_default()
    };
    fields(&[
        ("name", text(provider, "/name")),
        ("tokens accepted", text(provider, "/enabled")),
        ("issuer", text(provider, "/settings/issuer")),
        ("keys from", text(provider, "/settings/jwks_uri")),
        ("algorithms", joined("/settings/algorithms")),
        ("audiences", joined("/settings/audiences")),
        ("types", text(provider, "/settings/types")),
        ("scopes", joined("/settings/scopes")),
        ("agent claim", text(provider, "/settings/claims/agent")),
        ("roles claim", text(provider, "/settings/claims/roles")),
        ("tenant claim", text(provider, "/settings/claims/tenant/claim")),
        ("task claim", text(provider, "/settings/claims/task")),
        ("token accepted for", seconds("/settings/longest_secs")),
        ("for token tools", seconds("/settings/longest_token_secs")),
        ("keys kept for", seconds("/settings/stale_secs")),
        ("bound to", text(provider, "/settings/sender")),
        ("introspection", text(provider, "/settings/introspection/endpoint")),
        ("private network", text(provider, "/settings/private_network")),
        ("standing", text(provider, "/status/standing")),
    ])
}

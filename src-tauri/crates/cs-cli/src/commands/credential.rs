//! `countersign credential`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client;
use super::inventory::{self, Inventory, Preview};
use super::lifecycle::{self, Lifecycle};
use super::outlook;
use super::provider::provider;
use super::rotation::{self, Housekeeping, Rotate};
use super::tenant::Which;
use crate::answer::{list, moment, text, without};
use crate::desk::{Desk, Named};
use crate::failure::{Done, Problem};
use crate::output::{fields, table};
use crate::span;

#[derive(Debug, Subcommand)]
pub(crate) enum Credential {
    /// Lists the credentials of a tenant
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Issues a credential to an agent. Its secret is shown or saved this once
    Issue(Issue),
    /// Registers a subject of an identity provider as an agent: its tokens are that agent's
    Register(Register),
    /// Withdraws a credential for good
    Revoke {
        /// Its key id, its id, or the subject that it is
        key: String,
        #[command(flatten)]
        which: Which,
    },
    /// Has another credential take the place of one, or of all API keys of a tenant
    Rotate(Rotate),
    /// Takes a replacement back while the old credential is good: it goes on, the new one is over
    Rollback {
        /// The key id of the old one, or its id
        key: String,
        #[command(flatten)]
        which: Which,
    },
    /// What is done about credentials by itself
    #[command(subcommand)]
    Housekeeping(Housekeeping),
    /// What will happen to credentials in the next 90 days
    Calendar {
        #[command(flatten)]
        which: Which,
    },
    /// How well credentials are kept, and what to do about each fault
    Posture {
        #[command(flatten)]
        which: Which,
    },
    /// Who would be cut off by revoking one credential, or all of an agent, or of a tenant
    Preview(Preview),
    /// Lists credentials with where in its life each is and what happens to it next
    Inventory(Inventory),
    /// How long credentials live, and what is done about them when
    #[command(subcommand)]
    Lifecycle(Lifecycle),
    /// Lets a credential be used again that was suspended by ending its session
    Release {
        /// Its key id, or its id
        key: String,
        #[command(flatten)]
        which: Which,
    },
}

/// What to issue.
#[derive(Debug, clap::Args)]
pub(crate) struct Issue {
    /// The agent, by name
    agent: String,
    #[arg(long, default_value = "api-key")]
    kind: Kind,
    /// How long it is valid: what is usual for the tenant (72h) unless said otherwise
    #[arg(long, value_parser = span::seconds)]
    lifetime: Option<u64>,
    /// The task that the ready configuration declares
    #[arg(long)]
    task: Option<String>,
    /// A task that it may declare, where that is not every task of the agent; repeat it for more
    #[arg(long = "only-task", value_name = "TASK")]
    only: Vec<String>,
    /// A network that it may be used from, such as `10.0.0.0/8`; repeat it for more
    #[arg(long = "network", value_name = "CIDR")]
    networks: Vec<String>,
    /// Write the key to a new file, for `countersign connect`, instead of showing the secret; of a
    /// client, its id and secret
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    #[command(flatten)]
    pub(super) client: client::Proof,
    #[command(flatten)]
    which: Which,
}

/// Whom to register.
#[derive(Debug, clap::Args)]
pub(crate) struct Register {
    /// The agent, by name
    agent: String,
    /// The identity provider, by name
    #[arg(long, value_name = "NAME")]
    provider: String,
    /// The subject, as the provider's agent claim has it, letter by letter
    #[arg(long)]
    subject: String,
    /// How long it is valid: 90d unless said otherwise, and at most
    #[arg(long, value_parser = span::seconds)]
    lifetime: Option<u64>,
    /// A task that it may declare, where that is not every task of the agent; repeat it for more
    #[arg(long = "task", visible_alias = "only-task", value_name = "TASK")]
    only: Vec<String>,
    /// A network that it may be used from, such as `10.0.0.0/8`; repeat it for more
    #[arg(long = "network", value_name = "CIDR")]
    networks: Vec<String>,
    #[command(flatten)]
    which: Which,
}

/// The kinds of credentials.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// A key id and a secret that signs requests
    ApiKey,
    /// A client of the built-in issuer, which gets access tokens there
    Client,
}

pub(crate) async fn run(desk: &Desk, command: Credential) -> Done {
    match command {
        Credential::List { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let args = json!({ "tenant": tenant.id });
            let agents = desk.ask("agent_list", args.clone()).await?;
            desk.tell("credential_list", args, |keys| listed(keys, &agents)).await
        }
        Credential::Rotate(what) => rotation::rotate(desk, &what).await,
        Credential::Rollback { key, which } => rotation::rollback(desk, &key, &which).await,
        Credential::Housekeeping(command) => rotation::housekeeping(desk, command).await,
        Credential::Calendar { which } => outlook::calendar(desk, &which).await,
        Credential::Posture { which } => outlook::posture(desk, &which).await,
        Credential::Preview(wanted) => inventory::preview(desk, &wanted).await,
        Credential::Inventory(wanted) => inventory::inventory(desk, &wanted).await,
        Credential::Lifecycle(command) => lifecycle::run(desk, command).await,
        Credential::Issue(what) => issue(desk, &what).await,
        Credential::Register(whom) => register(desk, &whom).await,
        Credential::Revoke { key, which } => change(desk, "credential_revoke", &key, &which).await,
        Credential::Release { key, which } => {
            change(desk, "credential_release", &key, &which).await
        }
    }
}

async fn issue(desk: &Desk, what: &Issue) -> Done {
    let tenant = desk.tenant(what.which.tenant.as_deref()).await?;
    let agent = desk.agent(&tenant, &what.agent).await?;
    let mut args = json!({ "tenant": tenant.id, "agent": agent.id });
    if let Some(seconds) = what.lifetime {
        insert(&mut args, "lifetime_secs", json!(seconds));
    }
    match what.kind {
        Kind::ApiKey => {
            what.client.must_be_absent()?;
            insert(&mut args, "kind", json!("api_key"));
        }
        Kind::Client => {
            if what.task.is_some() {
                let message = "a client asks for its task itself; bind it with --only-task";
                return Err(Problem::invalid(message.to_owned()));
            }
            bind(desk, &tenant, &mut args, &what.only, &what.networks).await?;
            let file = match what.save.as_deref() {
                Some(path) => Some((create(path)?, path)),
                None => None,
            };
            return client::register(desk, args, &what.client, file).await;
        }
    }
    if let Some(task) = &what.task {
        let ids = desk.tasks(&tenant, std::slice::from_ref(task)).await?;
        insert(&mut args, "task", json!(ids.first()));
    }
    bind(desk, &tenant, &mut args, &what.only, &what.networks).await?;
    // The file first: a key whose secret cannot be kept must not come to be.
    let file = what.save.as_deref().map(create).transpose()?;
    let issued = desk.ask("credential_issue", args).await?;
    let issued = without(issued, &["configurations"]);
    let Some((mut file, path)) = file.zip(what.save.as_deref()) else {
        desk.output.tell(&issued, in_words);
        return Ok(());
    };
    let key = json!({ "key_id": issued.get("key_id"), "secret": issued.get("secret") });
    writeln!(file, "{key}")
        .and_then(|()| file.sync_all())
        .with_context(|| format!("could not write the key to {}; revoke it", path.display()))?;
    let issued = without(issued, &["secret"]);
    desk.output.tell(&issued, |issued| {
        format!("{}\nThe key is in {}.\n", in_words(issued), path.display())
    });
    Ok(())
}

async fn register(desk: &Desk, whom: &Register) -> Done {
    let tenant = desk.tenant(whom.which.tenant.as_deref()).await?;
    let agent = desk.agent(&tenant, &whom.agent).await?;
    let found = provider(desk, &tenant, &whom.provider).await?;
    let mut args = json!({ "tenant": tenant.id, "agent": agent.id, "provider": found.get("id"),
                           "subject": whom.subject });
    if let Some(seconds) = whom.lifetime {
        insert(&mut args, "lifetime_secs", json!(seconds));
    }
    bind(desk, &tenant, &mut args, &whom.only, &whom.networks).await?;
    let words = |it: &Value| {
        fields(&[
            ("credential", text(it, "/id")),
            ("subject", text(it, "/proof/subject")),
            ("provider", text(it, "/proof/provider_name")),
            ("expires", moment(it, "/expires")),
        ])
    };
    desk.tell("credential_register", args, words).await
}

/// Adds what a credential is bound to.
pub(crate) async fn bind(
    desk: &Desk,
    tenant: &Named,
    args: &mut Value,
    only: &[String],
    networks: &[String],
) -> Done {
    if !only.is_empty() {
        insert(args, "tasks", json!(desk.tasks(tenant, only).await?));
    }
    if !networks.is_empty() {
        insert(args, "networks", json!(networks));
    }
    Ok(())
}

/// Adds a member to the arguments of a command.
pub(crate) fn insert(args: &mut Value, name: &str, value: Value) {
    if let Some(members) = args.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// A new file that nobody else can read.
fn create(path: &Path) -> Done<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|problem| {
        Problem::invalid(format!("could not make the file {}: {problem}", path.display()))
    })
}

async fn change(desk: &Desk, command: &str, key: &str, which: &Which) -> Done {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    let args = json!({ "tenant": tenant.id, "credential": named(desk, &tenant, key).await? });
    let words =
        |key: &Value| format!("credential {} is {}", text(key, "/key_id"), text(key, "/state"));
    desk.tell(command, args, words).await
}

/// The id of a credential, by what people call it.
pub(super) async fn named(desk: &Desk, tenant: &Named, key: &str) -> Done<Value> {
    let all = desk.ask("credential_list", json!({ "tenant": tenant.id })).await?;
    let is_meant = |one: &&Value| {
        let own = || text(one, "/proof/subject") == key && text(one, "/state") != "revoked";
        text(one, "/key_id") == key || text(one, "/id") == key || own()
    };
    let found: Vec<&Value> = list(&all, "").iter().filter(is_meant).collect();
    let found = match found.as_slice() {
        [one] => *one,
        [] => {
            return Err(Problem::not_found(format!(
                "there is no credential `{key}`; see `countersign credential list`"
            )));
        }
        _ => {
            return Err(Problem::invalid(format!(
                "`{key}` is a subject of several identity providers; say the key id, or the id"
            )));
        }
    };
    Ok(found.get("id").cloned().unwrap_or_default())
}

fn listed(keys: &Value, agents: &Value) -> String {
    let agent = |key: &Value| {
        let found = list(agents, "").iter().find(|agent| agent.get("id") == key.get("agent"));
        found.map(|agent| text(agent, "/name")).unwrap_or_default()
    };
    let row = |key: &Value| {
        vec![
            text(key, "/key_id"),
            text(key, "/kind"),
            agent(key),
            state(key),
            moment(key, "/expires"),
            moment(key, "/last_used"),
        ]
    };
    let rows: Vec<Vec<String>> = list(keys, "").iter().map(row).collect();
    let empty = "no credentials yet; issue one with `countersign credential issue AGENT`";
    table(&["key id", "kind", "agent", "state", "expires", "last used"], &rows, empty)
}

fn state(key: &Value) -> String {
    if key.get("waits") == Some(&json!(true)) {
        return "waits to be fetched".to_owned();
    }
    match moment(key, "/overlap_ends") {
        ends if key.get("overlap_ends").is_some() => {
            format!("{} until {ends}", text(key, "/state"))
        }
        _ => text(key, "/state"),
    }
}

fn in_words(issued: &Value) -> String {
    fields(&[
        ("key id", text(issued, "/key_id")),
        ("secret", text(issued, "/secret")),
        ("expires", moment(issued, "/expires")),
        ("endpoint", text(issued, "/endpoint")),
    ])
}

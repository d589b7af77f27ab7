//! `countersign certificate`.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::authority::{authority, in_words as in_words_of};
use super::credential::{bind, insert};
use super::tenant::Which;
use crate::answer::{list, moment, text, without};
use crate::desk::Desk;
use crate::failure::{Done, Problem};
use crate::output::{fields, table};
use crate::span;

#[derive(Debug, Subcommand)]
pub(crate) enum Certificate {
    /// Issues a certificate to an agent. Its key is shown or saved this once
    Issue(Issue),
    /// Registers certificates of an authority of others as an agent
    Register(Register),
    /// Lists the certificates of a tenant
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Withdraws a certificate for good
    Revoke {
        /// Its fingerprint, the beginning of it, its serial number, or its id
        certificate: String,
        #[command(flatten)]
        which: Which,
    },
    /// Shows who issues the certificates: what agents and others have to trust
    Authority {
        #[command(flatten)]
        which: Which,
    },
}

/// What to issue.
#[derive(Debug, clap::Args)]
pub(crate) struct Issue {
    /// The agent, by name
    agent: String,
    /// How long it is valid: 24h unless said otherwise, 7d at most
    #[arg(long, value_parser = span::seconds)]
    lifetime: Option<u64>,
    /// A file with a signing request (PEM) of the agent's own key, instead of a new key
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    /// The task that the ready configuration declares
    #[arg(long)]
    task: Option<String>,
    /// A task that it may declare, where that is not every task of the agent; repeat it for more
    #[arg(long = "only-task", value_name = "TASK")]
    only: Vec<String>,
    /// A network that it may be used from, such as `10.0.0.0/8`; repeat it for more
    #[arg(long = "network", value_name = "CIDR")]
    networks: Vec<String>,
    /// Write AGENT.pem, AGENT.key and countersign.pem to this folder, instead of showing the key
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// What to register.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("which-one").required(true)
    .args(["spiffe", "fingerprint", "certificate"])))]
pub(crate) struct Register {
    /// The agent, by name
    agent: String,
    /// The authority of others, by name
    #[arg(long, value_name = "NAME")]
    authority: String,
    /// Each certificate with this SPIFFE id
    #[arg(long, value_name = "ID")]
    spiffe: Option<String>,
    /// The one with this SHA-256
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    /// The one in this file (PEM)
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
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

pub(crate) async fn run(desk: &Desk, command: Certificate) -> Done {
    match command {
        Certificate::Issue(what) => issue(desk, &what).await,
        Certificate::Register(what) => register(desk, &what).await,
        Certificate::List { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let args = json!({ "tenant": tenant.id });
            let agents = desk.ask("agent_list", args.clone()).await?;
            let all = certificates(&desk.ask("credential_list", args).await?);
            desk.output.tell(&all, |all| listed(all, &agents));
            Ok(())
        }
        Certificate::Revoke { certificate, which } => revoke(desk, &certificate, &which).await,
        Certificate::Authority { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            desk.tell("authority_show", json!({ "tenant": tenant.id }), in_words_of).await
        }
    }
}

async fn issue(desk: &Desk, what: &Issue) -> Done {
    let tenant = desk.tenant(what.which.tenant.as_deref()).await?;
    let agent = desk.agent(&tenant, &what.agent).await?;
    let mut args = json!({ "tenant": tenant.id, "agent": agent.id });
    bind(desk, &tenant, &mut args, &what.only, &what.networks).await?;
    if let Some(seconds) = what.lifetime {
        insert(&mut args, "lifetime_secs", json!(seconds));
    }
    if let Some(path) = &what.csr {
        let csr = fs::read_to_string(path).map_err(|problem| {
            Problem::invalid(format!("could not read {}: {problem}", path.display()))
        })?;
        insert(&mut args, "csr", json!(csr));
    }
    if let Some(task) = &what.task {
        let ids = desk.tasks(&tenant, std::slice::from_ref(task)).await?;
        insert(&mut args, "task", json!(ids.first()));
    }
    // The files first: a key that cannot be kept must not come to be.
    let files = what.save.as_deref().map(|folder| files(folder, what)).transpose()?;
    let issued = desk.ask("certificate_issue", args).await?;
    let Some((files, folder)) = files.zip(what.save.as_deref()) else {
        desk.output.tell(&issued, in_words);
        return Ok(());
    };
    for (mut file, member) in files {
        let pem = text(&issued, member);
        file.write_all(pem.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(|| format!("could not write to {}; revoke it", folder.display()))?;
    }
    let issued = without(issued, &["key"]);
    desk.output.tell(&issued, |issued| {
        format!("{}\nThe files are in {}.\n", summary(issued), folder.display())
    });
    Ok(())
}

async fn register(desk: &Desk, what: &Register) -> Done {
    let tenant = desk.tenant(what.which.tenant.as_deref()).await?;
    let agent = desk.agent(&tenant, &what.agent).await?;
    let found = authority(desk, &tenant, &what.authority).await?;
    let mut args = json!({
        "tenant": tenant.id, "agent": agent.id, "authority": text(&found, "/id"),
    });
    bind(desk, &tenant, &mut args, &what.only, &what.networks).await?;
    if let Some(seconds) = what.lifetime {
        insert(&mut args, "lifetime_secs", json!(seconds));
    }
    if let Some(spiffe) = &what.spiffe {
        insert(&mut args, "spiffe", json!(spiffe));
    }
    if let Some(fingerprint) = &what.fingerprint {
        insert(&mut args, "fingerprint", json!(fingerprint));
    }
    if let Some(path) = &what.certificate {
        let pem = fs::read_to_string(path).map_err(|problem| {
            Problem::invalid(format!("could not read {}: {problem}", path.display()))
        })?;
        insert(&mut args, "certificate", json!(pem));
    }
    let words = |it: &Value| {
        fields(&[
            ("credential", text(it, "/id")),
            ("SPIFFE id", text(it, "/proof/spiffe")),
            ("fingerprint", text(it, "/proof/fingerprint")),
            ("expires", moment(it, "/expires")),
        ])
    };
    desk.tell("certificate_register", args, words).await
}

/// The new files, and which part of the answer goes into each.
fn files(folder: &Path, what: &Issue) -> Done<Vec<(File, &'static str)>> {
    let agent = &what.agent;
    let mut files = vec![
        (create(&folder.join(format!("{agent}.pem")))?, "/certificate"),
        (create(&folder.join("countersign.pem"))?, "/server_authority"),
    ];
    if what.csr.is_none() {
        files.push((create(&folder.join(format!("{agent}.key")))?, "/key"));
    }
    Ok(files)
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

async fn revoke(desk: &Desk, certificate: &str, which: &Which) -> Done {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    let all = desk.ask("credential_list", json!({ "tenant": tenant.id })).await?;
    let all = certificates(&all);
    let is_meant = |one: &&Value| {
        let begins = certificate.len() >= 8 && text(one, "/key_id").starts_with(certificate);
        begins || [text(one, "/id"), text(one, "/proof/serial")].iter().any(|it| it == certificate)
    };
    let mut found = list(&all, "").iter().filter(is_meant);
    let (Some(one), None) = (found.next(), found.next()) else {
        return Err(Problem::not_found(format!(
            "there is no one certificate `{certificate}`; see `countersign certificate list`"
        )));
    };
    let args = json!({ "tenant": tenant.id, "credential": one.get("id") });
    let words =
        |it: &Value| format!("certificate {} is {}", text(it, "/key_id"), text(it, "/state"));
    desk.tell("credential_revoke", args, words).await
}

/// The certificates among the credentials.
fn certificates(all: &Value) -> Value {
    let of_kind = |it: &&Value| text(it, "/kind") == "certificate";
    Value::Array(list(all, "").iter().filter(of_kind).cloned().collect())
}

fn listed(all: &Value, agents: &Value) -> String {
    let agent = |one: &Value| {
        let found = list(agents, "").iter().find(|agent| agent.get("id") == one.get("agent"));
        found.map(|agent| text(agent, "/name")).unwrap_or_default()
    };
    let row = |one: &Value| {
        vec![
            text(one, "/key_id"),
            agent(one),
            text(one, "/state"),
            moment(one, "/expires"),
            moment(one, "/last_used"),
        ]
    };
    let rows: Vec<Vec<String>> = list(all, "").iter().map(row).collect();
    let empty = "no certificates yet; issue one with `countersign certificate issue AGENT`";
    table(&["fingerprint", "agent", "state", "expires", "last used"], &rows, empty)
}

fn summary(issued: &Value) -> String {
    fields(&[
        ("agent", text(issued, "/spiffe")),
        ("fingerprint", text(issued, "/fingerprint")),
        ("expires", moment(issued, "/expires")),
        ("endpoint", text(issued, "/endpoint")),
    ])
}

fn in_words(issued: &Value) -> String {
    let parts = ["/certificate", "/key", "/server_authority"].map(|part| text(issued, part));
    format!("{}\n{}", summary(issued), parts.concat())
}

//! `countersign certificate`.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

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
    /// Lists the certificates of a tenant
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Withdraws a certificate for good
    Revoke {
        /// Its fingerprint, the beginning of it, or its id
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
    /// Write AGENT.pem, AGENT.key and countersign.pem to this folder, instead of showing the key
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

pub(crate) async fn run(desk: &Desk, command: Certificate) -> Done {
    match command {
        Certificate::Issue(what) => issue(desk, &what).await,
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
            desk.tell("authority_show", json!({ "tenant": tenant.id }), authority).await
        }
    }
}

async fn issue(desk: &Desk, what: &Issue) -> Done {
    let tenant = desk.tenant(what.which.tenant.as_deref()).await?;
    let agent = desk.agent(&tenant, &what.agent).await?;
    let mut args = serde_json::Map::new();
    args.insert("tenant".to_owned(), json!(tenant.id));
    args.insert("agent".to_owned(), json!(agent.id));
    if let Some(seconds) = what.lifetime {
        args.insert("lifetime_secs".to_owned(), json!(seconds));
    }
    if let Some(path) = &what.csr {
        let csr = fs::read_to_string(path).map_err(|problem| {
            Problem::invalid(format!("could not read {}: {problem}", path.display()))
        })?;
        args.insert("csr".to_owned(), json!(csr));
    }
    if let Some(task) = &what.task {
        let ids = desk.tasks(&tenant, std::slice::from_ref(task)).await?;
        args.insert("task".to_owned(), json!(ids.first()));
    }
    // The files first: a key that cannot be kept must not come to be.
    let files = what.save.as_deref().map(|folder| files(folder, what)).transpose()?;
    let issued = desk.ask("certificate_issue", Value::Object(args)).await?;
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
        begins || text(one, "/id") == certificate
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

fn authority(it: &Value) -> String {
    let known = fields(&[
        ("speaks for", text(it, "/speaks_for")),
        ("made", moment(it, "/created")),
        ("last list", text(it, "/list_number")),
        ("revoked", text(it, "/revoked")),
    ]);
    format!("{known}\n{}{}", text(it, "/certificate"), text(it, "/server_authority"))
}

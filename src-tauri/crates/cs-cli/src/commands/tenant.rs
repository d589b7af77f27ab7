//! `countersign tenant` and `countersign overview`.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::{fields, table};

use super::status;

/// Which tenant a command is about.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The tenant, by name; not needed while there is only one
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// Lists all tenants
    List,
    /// Makes a tenant
    Create { name: String },
    /// Refuses every call in a tenant, until it is activated again
    Suspend { name: String },
    /// Lets a suspended tenant work again
    Activate { name: String },
    /// Revokes every credential in a tenant, and every token that was issued up to now
    Revoke {
        name: String,
        /// Why, for the log
        #[arg(long)]
        reason: String,
    },
}

pub(crate) async fn run(desk: &Desk, command: Tenant) -> Done {
    match command {
        Tenant::List => desk.tell("tenant_list", json!({}), listed).await,
        Tenant::Create { name } => desk.tell("tenant_create", json!({ "name": name }), one).await,
        Tenant::Suspend { name } => set_standing(desk, &name, "suspended").await,
        Tenant::Activate { name } => set_standing(desk, &name, "active").await,
        Tenant::Revoke { name, reason } => {
            let tenant = desk.tenant(Some(&name)).await?;
            let args = json!({ "tenant": tenant.id, "reason": reason });
            desk.tell("tenant_revoke", args, super::revocation::all).await
        }
    }
}

pub(crate) async fn overview(desk: &Desk, which: &Which) -> Done {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    desk.tell("overview", json!({ "tenant": tenant.id }), in_words).await
}

async fn set_standing(desk: &Desk, name: &str, standing: &str) -> Done {
    let tenant = desk.tenant(Some(name)).await?;
    let args = json!({ "tenant": tenant.id, "standing": standing });
    desk.tell("tenant_set_standing", args, one).await
}

fn listed(tenants: &Value) -> String {
    let rows: Vec<Vec<String>> = list(tenants, "").iter().map(row).collect();
    let heading = ["name", "standing", "agents", "servers", "tools", "tasks", "sessions"];
    table(&heading, &rows, "no tenants yet; make one with `countersign tenant create NAME`")
}

fn row(tenant: &Value) -> Vec<String> {
    ["/name", "/standing", "/agents", "/servers", "/tools", "/tasks", "/live_sessions"]
        .map(|pointer| text(tenant, pointer))
        .to_vec()
}

fn one(tenant: &Value) -> String {
    format!("tenant {} is {}", text(tenant, "/name"), text(tenant, "/standing"))
}

fn in_words(overview: &Value) -> String {
    let status = overview.get("status").map(status::in_words).unwrap_or_default();
    let counts = fields(&[
        ("agents", text(overview, "/counts/agents")),
        ("tools", text(overview, "/counts/tools")),
        ("tasks", text(overview, "/counts/tasks")),
        ("live sessions", text(overview, "/counts/live_sessions")),
    ]);
    let waiting: Vec<Vec<String>> = list(overview, "/waiting")
        .iter()
        .map(|row| {
            let until = moment(row, "/expires");
            vec![text(row, "/id"), text(row, "/agent_name"), text(row, "/tool_name"), until]
        })
        .collect();
    let anomalies: Vec<Vec<String>> = list(overview, "/anomalies")
        .iter()
        .map(|row| vec![moment(row, "/at"), text(row, "/summary")])
        .collect();
    let waiting = table(&["waiting call", "agent", "tool", "until"], &waiting, "no call waits\n");
    let none = "no attempts outside an allowlist\n";
    let anomalies = table(&["attempt outside an allowlist", ""], &anomalies, none);
    format!("{status}\n{counts}\n{waiting}\n{anomalies}")
}

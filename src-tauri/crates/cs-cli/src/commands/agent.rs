//! `countersign agent`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::signing::{self, Responsible};
use super::tenant::Which;
use crate::answer::{list, moment, names, rate, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::table;
use crate::span::{self, Limit, Waiting};

#[derive(Debug, Subcommand)]
pub(crate) enum Agent {
    /// Lists the agents of a tenant
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Makes an agent
    Create(Assigned),
    /// Gives an agent these roles and tasks, instead of those it has
    Update(Assigned),
    /// Refuses every call of an agent, until it is activated again
    Suspend {
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Lets an agent work again that was suspended or paused
    #[command(visible_alias = "resume")]
    Activate {
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// Says how often an agent may call any tool
    Rate {
        name: String,
        /// Calls in a time, such as `60/1m`; `none` lifts the limit
        #[arg(value_name = "CALLS/TIME|none", value_parser = span::limit)]
        limit: Limit,
        #[command(flatten)]
        which: Which,
    },
    /// Says how many calls of an agent may wait for people at a time
    Waiting {
        name: String,
        /// A number, or `usual`, which is 10
        #[arg(value_name = "NUMBER|usual", value_parser = span::waiting)]
        most: Waiting,
        #[command(flatten)]
        which: Which,
    },
    /// Refuses every call of an agent and takes back those that wait, until it is activated again
    Pause {
        name: String,
        /// Why, for the log
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Says which operator answers for an agent
    Responsible(Responsible),
    /// Revokes every credential of an agent, and every token that it was issued up to now
    Revoke {
        name: String,
        /// Why, for the log
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        which: Which,
    },
    /// Removes an agent, with its credentials
    Remove {
        name: String,
        #[command(flatten)]
        which: Which,
    },
}

/// An agent with what it is assigned.
#[derive(Debug, clap::Args)]
pub(crate) struct Assigned {
    name: String,
    /// A role that it has
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A task that it may declare
    #[arg(long = "task", value_name = "TASK")]
    tasks: Vec<String>,
    #[command(flatten)]
    which: Which,
}

pub(crate) async fn run(desk: &Desk, command: Agent) -> Done {
    match command {
        Agent::List { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            desk.tell("agent_list", json!({ "tenant": tenant.id }), listed).await
        }
        Agent::Create(Assigned { name, roles, tasks, which }) => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let roles = desk.roles(&tenant, &roles).await?;
            let tasks = desk.tasks(&tenant, &tasks).await?;
            let args = json!({ "tenant": tenant.id, "name": name, "roles": roles, "tasks": tasks });
            desk.tell("agent_create", args, one).await
        }
        Agent::Update(Assigned { name, roles, tasks, which }) => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let agent = desk.agent(&tenant, &name).await?;
            let roles = desk.roles(&tenant, &roles).await?;
            let tasks = desk.tasks(&tenant, &tasks).await?;
            let args =
                json!({ "tenant": tenant.id, "agent": agent.id, "roles": roles, "tasks": tasks });
            desk.tell("agent_update", args, one).await
        }
        Agent::Suspend { name, which } => set_standing(desk, &name, &which, "suspended").await,
        Agent::Activate { name, which } => set_standing(desk, &name, &which, "active").await,
        Agent::Rate { name, limit, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let agent = desk.agent(&tenant, &name).await?;
            let args = json!({ "tenant": tenant.id, "agent": agent.id, "rate": limit.0 });
            desk.tell("agent_set_rate", args, one).await
        }
        Agent::Waiting { name, most, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let agent = desk.agent(&tenant, &name).await?;
            let args = json!({ "tenant": tenant.id, "agent": agent.id, "most": most.0 });
            desk.tell("agent_set_waiting", args, one).await
        }
        Agent::Pause { name, reason, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let agent = desk.agent(&tenant, &name).await?;
            let args = json!({ "tenant": tenant.id, "agent": agent.id, "reason": reason });
            desk.tell("agent_pause", args, one).await
        }
        Agent::Responsible(wanted) => signing::responsible(desk, &wanted).await,
        Agent::Revoke { name, reason, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let agent = desk.agent(&tenant, &name).await?;
            let args = json!({ "tenant": tenant.id, "agent": agent.id, "reason": reason });
            desk.tell("agent_revoke", args, super::revocation::all).await
        }
        Agent::Remove { name, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let agent = desk.agent(&tenant, &name).await?;
            let args = json!({ "tenant": tenant.id, "agent": agent.id });
            desk.tell("agent_remove", args, super::enforced).await
        }
    }
}

async fn set_standing(desk: &Desk, name: &str, which: &Which, standing: &str) -> Done {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    let agent = desk.agent(&tenant, name).await?;
    let args = json!({ "tenant": tenant.id, "agent": agent.id, "standing": standing });
    desk.tell("agent_set_standing", args, one).await
}

fn listed(agents: &Value) -> String {
    let rows: Vec<Vec<String>> = list(agents, "").iter().map(row).collect();
    let heading = ["name", "standing", "roles", "tasks", "limit", "keys", "sessions", "last seen"];
    table(&heading, &rows, "no agents yet; make one with `countersign agent create NAME`")
}

fn row(agent: &Value) -> Vec<String> {
    let active = |key: &&Value| text(key, "/state") == "active";
    vec![
        text(agent, "/name"),
        text(agent, "/standing"),
        names(agent, "/roles"),
        names(agent, "/tasks"),
        rate(agent),
        list(agent, "/credentials").iter().filter(active).count().to_string(),
        text(agent, "/live_sessions"),
        moment(agent, "/last_seen"),
    ]
}

fn one(agent: &Value) -> String {
    let or_none = |names: String| if names.is_empty() { "none".to_owned() } else { names };
    format!(
        "agent {} is {}; roles: {}; tasks: {}; limit: {}; calls that may wait: {}",
        text(agent, "/name"),
        text(agent, "/standing"),
        or_none(names(agent, "/roles")),
        or_none(names(agent, "/tasks")),
        rate(agent),
        match text(agent, "/most_waiting").as_str() {
            "" => "the usual number",
            most => most,
        }
    )
}

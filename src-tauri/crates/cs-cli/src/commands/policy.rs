//! `countersign policy`.

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::{Done, Problem};
use crate::output::{fields, table};

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Says what would become of a call, and why, step by step
    Explain {
        /// The agent
        #[arg(long)]
        agent: String,
        /// The task that it declares
        #[arg(long)]
        task: Option<String>,
        /// `tool`, or `server/tool`
        #[arg(long)]
        tool: String,
        /// A file with the arguments, a JSON object; without one, the best arguments there are
        #[arg(long, value_name = "FILE")]
        arguments: Option<String>,
        /// A session that is open, instead of one that opens now
        #[arg(long, value_name = "ID", conflicts_with = "task")]
        session: Option<String>,
        #[command(flatten)]
        which: Which,
    },
}

pub(crate) async fn run(desk: &Desk, command: Policy) -> Done {
    let Policy::Explain { agent, task, tool, arguments, session, which } = command;
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    let agent = desk.agent(&tenant, &agent).await?;
    let tasks = match task {
        Some(task) => desk.tasks(&tenant, &[task]).await?,
        None => Vec::new(),
    };
    let tools = desk.tools(&tenant, &[tool]).await?;
    let arguments = match arguments {
        Some(file) => {
            let read = std::fs::read_to_string(&file);
            Some(read.with_context(|| format!("could not read {file}")).map_err(Problem::from)?)
        }
        None => None,
    };
    let args = json!({
        "tenant": tenant.id,
        "agent": agent.id,
        "task": tasks.first(),
        "tool": tools.first(),
        "arguments": arguments,
        "session": session,
    });
    desk.tell("policy_explain", args, in_words).await
}

fn in_words(told: &Value) -> String {
    let about = fields(&[
        ("agent", text(told, "/agent_name")),
        ("task", text(told, "/task_name")),
        ("tool", format!("{}/{}", text(told, "/server_name"), text(told, "/tool_name"))),
        ("seen as", text(told, "/listed")),
        ("policy version", text(told, "/policy_version")),
    ]);
    let row = |step: &Value| {
        vec![text(step, "/gate").replace('_', " "), text(step, "/verdict"), text(step, "/sentence")]
    };
    let steps: Vec<Vec<String>> = list(told, "/steps").iter().map(row).collect();
    let steps = table(&["step", "verdict", "why"], &steps, "");
    let row = |session: &Value| {
        vec![
            text(session, "/id"),
            text(session, "/outcome"),
            moment(session, "/ends"),
            text(session, "/sentence"),
        ]
    };
    let live: Vec<Vec<String>> = list(told, "/sessions").iter().map(row).collect();
    let live = match live.as_slice() {
        [] => String::new(),
        all => format!("\n{}", table(&["live session", "grant", "ends", "why"], all, "")),
    };
    let outcome = text(told, "/outcome");
    format!("{about}\n{steps}{live}\n{outcome}: {}", text(told, "/sentence"))
}

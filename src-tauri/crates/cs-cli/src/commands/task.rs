//! `countersign task`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, names, text};
use crate::desk::{Desk, find, marked, server_name};
use crate::failure::Done;
use crate::output::{counted, table};
use crate::span;

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Lists the tasks of a tenant
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Makes a task
    Create {
        name: String,
        /// A tool that it lists: `tool`, or `server/tool`
        #[arg(long = "tool", value_name = "TOOL")]
        tools: Vec<String>,
        /// How long a run is expected to take
        #[arg(long, default_value = "10m", value_parser = span::seconds)]
        expected: u64,
        /// How long a session may last at most
        #[arg(long, default_value = "1h", value_parser = span::seconds)]
        longest: u64,
        #[command(flatten)]
        which: Which,
    },
    /// Changes a task; what is not given stays as it is
    Update {
        name: String,
        /// A tool that it lists, instead of those it lists now
        #[arg(long = "tool", value_name = "TOOL")]
        tools: Vec<String>,
        /// How long a run is expected to take
        #[arg(long, value_parser = span::seconds)]
        expected: Option<u64>,
        /// How long a session may last at most
        #[arg(long, value_parser = span::seconds)]
        longest: Option<u64>,
        #[command(flatten)]
        which: Which,
    },
    /// Removes a task
    Remove {
        name: String,
        #[command(flatten)]
        which: Which,
    },
}

pub(crate) async fn run(desk: &Desk, command: Task) -> Done {
    match command {
        Task::List { which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let tasks = desk.ask("task_list", json!({ "tenant": tenant.id })).await?;
            let matrix = desk.matrix(&tenant).await?;
            desk.output.tell(&tasks, |tasks| listed(tasks, &matrix));
            Ok(())
        }
        Task::Create { name, tools, expected, longest, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let tools = desk.tools(&tenant, &tools).await?;
            let args = json!({ "tenant": tenant.id, "name": name, "tools": tools, "expected_secs": expected, "longest_secs": longest });
            desk.tell("task_create", args, one).await
        }
        Task::Update { name, tools, expected, longest, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let tasks = desk.ask("task_list", json!({ "tenant": tenant.id })).await?;
            let task = find(list(&tasks, ""), &name, "task", "countersign task list")?;
            let tools = match tools.as_slice() {
                [] => task.get("tools").cloned().unwrap_or_default(),
                wanted => json!(desk.tools(&tenant, wanted).await?),
            };
            let keep = |given: Option<u64>, member: &str| match given {
                Some(seconds) => json!(seconds),
                None => task.get(member).cloned().unwrap_or_default(),
            };
            let args = json!({
                "tenant": tenant.id,
                "task": text(task, "/id"),
                "tools": tools,
                "expected_secs": keep(expected, "expected_secs"),
                "longest_secs": keep(longest, "longest_secs"),
            });
            desk.tell("task_update", args, one).await
        }
        Task::Remove { name, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let ids = desk.tasks(&tenant, &[name]).await?;
            let args = json!({ "tenant": tenant.id, "task": ids.first() });
            desk.tell("task_remove", args, super::enforced).await
        }
    }
}

fn listed(tasks: &Value, matrix: &Value) -> String {
    let row = |task: &Value| {
        let tools: Vec<String> =
            list(task, "/tools").iter().map(|id| tool_name(matrix, id)).collect();
        let length = |pointer: &str| span::shown(text(task, pointer).parse().unwrap_or(0));
        vec![
            text(task, "/name"),
            length("/expected_secs"),
            length("/longest_secs"),
            names(task, "/agents"),
            tools.join(", "),
        ]
    };
    let rows: Vec<Vec<String>> = list(tasks, "").iter().map(row).collect();
    let empty = "no tasks yet; make one with `countersign task create NAME --tool TOOL`";
    table(&["name", "expected", "longest", "agents", "tools"], &rows, empty)
}

fn tool_name(matrix: &Value, id: &Value) -> String {
    let all = list(matrix, "/tools");
    let found = all.iter().find(|tool| tool.get("id") == Some(id));
    let Some(tool) = found else { return String::new() };
    let name = marked(tool);
    let shared = all.iter().filter(|other| marked(other) == name).count() > 1;
    if shared { format!("{}/{name}", server_name(matrix, &text(tool, "/server"))) } else { name }
}

fn one(task: &Value) -> String {
    let tools = u64::try_from(list(task, "/tools").len()).unwrap_or(u64::MAX);
    format!("task {} lists {}", text(task, "/name"), counted(tools, "tool"))
}

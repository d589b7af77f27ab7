//! `countersign tool`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::provider_settings::yes_or_no;
use super::signing::{self, Marks, Rule};
use super::tenant::Which;
use crate::answer::{list, moment, rate, text};
use crate::desk::{Desk, marked, server_name};
use crate::failure::Done;
use crate::output::table;
use crate::span::{self, Limit};

#[derive(Debug, Subcommand)]
pub(crate) enum Tool {
    /// Lists the tools of a tenant, its prompts, its resources and their templates
    List {
        /// Only those of this kind
        #[arg(long, value_enum)]
        kind: Option<Kind>,
        #[command(flatten)]
        which: Which,
    },
    /// Lets tools be called again, by those who are granted them
    Enable(These),
    /// Refuses every call of some tools
    Disable(These),
    /// Says who has to sign the calls of a tool that need a signature, or shows it
    Signing(Rule),
    /// Says whether a tool can send data out or destroy something, or shows it. Each call of such a
    /// tool that needs a signature needs one of its own
    Effects(Marks),
    /// Says how often each agent may call a tool
    Rate {
        /// `tool`, or `server/tool`
        tool: String,
        /// Calls in a time, such as `60/1m`; `none` lifts the limit
        #[arg(value_name = "CALLS/TIME|none", value_parser = span::limit)]
        limit: Limit,
        #[command(flatten)]
        which: Which,
    },
    /// Says which scopes a token needs to call a tool, which data system is behind it, and whether
    /// its provider is asked about it on each call
    Describe {
        /// `tool`, or `server/tool`
        tool: String,
        /// A scope; repeat it for more. Without any, none is needed
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// The data system, in your own words
        #[arg(long, value_name = "TEXT")]
        data_system: Option<String>,
        /// Whether each call with a token is asked about at its provider; as before when absent
        #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
        introspect: Option<bool>,
        #[command(flatten)]
        which: Which,
    },
}

/// The kinds of things that servers publish.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Kind {
    Prompt,
    Resource,
    Template,
    Tool,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Resource => "resource",
            Self::Template => "template",
            Self::Tool => "tool",
        }
    }
}

/// Some tools.
#[derive(Debug, clap::Args)]
pub(crate) struct These {
    /// `tool` or `server/tool`; what is no tool as `prompt:NAME`, `resource:URI`, `template:TEXT`
    #[arg(required = true, value_name = "TOOL")]
    tools: Vec<String>,
    #[command(flatten)]
    which: Which,
}

pub(crate) const HEADING: &[&str] = &["tool", "enabled", "limit", "drift", "fingerprint", "says"];

pub(crate) async fn run(desk: &Desk, command: Tool) -> Done {
    match command {
        Tool::List { kind, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let matrix = desk.matrix(&tenant).await?;
            let wanted = |tool: &&Value| kind.is_none_or(|it| text(tool, "/kind") == it.word());
            let tools: Value = list(&matrix, "/tools").iter().filter(wanted).cloned().collect();
            desk.output.tell(&tools, |tools| listed(tools, &matrix));
            Ok(())
        }
        Tool::Enable(some) => set_enabled(desk, &some, true).await,
        Tool::Disable(some) => set_enabled(desk, &some, false).await,
        Tool::Signing(rule) => signing::rule(desk, &rule).await,
        Tool::Effects(marks) => signing::marks(desk, &marks).await,
        Tool::Rate { tool, limit, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let tools = desk.tools(&tenant, &[tool]).await?;
            let args = json!({ "tenant": tenant.id, "tool": tools.first(), "rate": limit.0 });
            desk.tell("tool_set_rate", args, super::enforced).await
        }
        Tool::Describe { tool, scopes, data_system, introspect, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let tools = desk.tools(&tenant, &[tool]).await?;
            let args = json!({ "tenant": tenant.id, "tool": tools.first(), "scopes": scopes,
                               "data_system": data_system, "introspect": introspect });
            desk.tell("tool_describe", args, super::enforced).await
        }
    }
}

async fn set_enabled(desk: &Desk, some: &These, enabled: bool) -> Done {
    let tenant = desk.tenant(some.which.tenant.as_deref()).await?;
    let tools = desk.tools(&tenant, &some.tools).await?;
    let args = json!({ "tenant": tenant.id, "tools": tools, "enabled": enabled });
    desk.tell("tool_set_enabled", args, super::enforced).await
}

fn listed(tools: &Value, matrix: &Value) -> String {
    let row = |tool: &Value| {
        vec![
            server_name(matrix, &text(tool, "/server")),
            marked(tool),
            text(tool, "/enabled"),
            text(tool, "/drifted"),
            moment(tool, "/last_used"),
            text(tool, "/description"),
        ]
    };
    let rows: Vec<Vec<String>> = list(tools, "").iter().map(row).collect();
    let empty = "no tools yet; add a server with `countersign server add`";
    table(&["server", "tool", "enabled", "drift", "last used", "says"], &rows, empty)
}

/// A tool of one server, under [`HEADING`].
pub(crate) fn row(tool: &Value) -> Vec<String> {
    let drift = if tool.get("drift").is_none_or(Value::is_null) { "no" } else { "yes" };
    let fingerprint: String = text(tool, "/fingerprint").chars().take(16).collect();
    vec![
        marked(tool),
        text(tool, "/enabled"),
        rate(tool),
        drift.to_owned(),
        fingerprint,
        text(tool, "/description"),
    ]
}

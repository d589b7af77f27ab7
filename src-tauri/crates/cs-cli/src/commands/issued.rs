//! `countersign approval issue`.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::{Desk, Named};
use crate::failure::{Done, Problem};
use crate::passphrase;

/// A call that is signed for before the agent makes it.
#[derive(Debug, clap::Args)]
pub(crate) struct Issue {
    /// The agent
    #[arg(long)]
    agent: String,
    /// `tool`, or `server/tool`
    #[arg(long)]
    tool: String,
    /// A file with the exact arguments, a JSON object
    #[arg(long, value_name = "FILE")]
    arguments: String,
    /// The session that may make the call; not needed where the agent has one
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// How long it may be made: 1 to 300 seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 120)]
    seconds: u32,
    /// Why; asked for by some tools
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    which: Which,
}

/// Signs the call and tells the operation token, to be handed to whoever makes it.
pub(crate) async fn run(desk: &Desk, wanted: &Issue) -> Done {
    let tenant = desk.tenant(wanted.which.tenant.as_deref()).await?;
    let agent = desk.agent(&tenant, &wanted.agent).await?;
    let tools = desk.tools(&tenant, std::slice::from_ref(&wanted.tool)).await?;
    let file = &wanted.arguments;
    let arguments = std::fs::read_to_string(file);
    let arguments = arguments.with_context(|| format!("could not read {file}"))?;
    let session = match &wanted.session {
        Some(id) => id.clone(),
        None => only_session(desk, &tenant, &agent, &wanted.agent).await?,
    };
    let passphrase = passphrase::ask(&desk.everywhere, "Your passphrase, to sign this call: ")?;
    let args = json!({
        "tenant": tenant.id,
        "session": session,
        "tool": tools.first(),
        "arguments": arguments,
        "seconds": wanted.seconds,
        "passphrase": passphrase,
        "reason": wanted.reason,
    });
    desk.tell("approval_issue", args, |issued| {
        format!(
            "request {}: signed; it may be made once until {}\n\n{}",
            text(issued, "/approval/row/id"),
            moment(issued, "/approval/row/expires"),
            text(issued, "/token"),
        )
    })
    .await
}

/// The one session that an agent has.
async fn only_session(desk: &Desk, tenant: &Named, agent: &Named, name: &str) -> Done<String> {
    let args = json!({ "tenant": tenant.id, "live_only": true });
    let sessions = desk.ask("session_list", args).await?;
    let own = |it: &&Value| text(it, "/agent") == agent.id;
    let own: Vec<&Value> = list(&sessions, "").iter().filter(own).collect();
    match own.as_slice() {
        [only] => Ok(text(only, "/id")),
        [] => Err(Problem::not_found(format!(
            "{name} has no session that is open; a token is for the calls of one session"
        ))),
        _ => Err(Problem::invalid(format!(
            "{name} has several sessions; say which with `--session ID` (see `countersign session list`)"
        ))),
    }
}

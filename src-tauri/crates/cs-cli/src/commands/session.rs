//! `countersign session`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::{Desk, Named};
use crate::failure::{Done, Problem};
use crate::output::{fields, table};

#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// Lists the sessions of a tenant that are live
    List {
        /// Also those that are over
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Shows a session with its frozen allowlist
    Show {
        id: String,
        #[command(flatten)]
        which: Which,
    },
    /// Releases the credential that opened a session, so that its agent may open another
    Release {
        id: String,
        #[command(flatten)]
        which: Which,
    },
    /// Ends a session and suspends the credential that opened it
    End {
        id: String,
        #[command(flatten)]
        which: Which,
    },
}

pub(crate) async fn run(desk: &Desk, command: Session) -> Done {
    match command {
        Session::List { all, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let args = json!({ "tenant": tenant.id, "live_only": !all });
            desk.tell("session_list", args, listed).await
        }
        Session::Show { id, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let found = find(desk, &tenant, &id).await?;
            desk.output.tell(&found, in_words);
            Ok(())
        }
        Session::Release { id, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let found = find(desk, &tenant, &id).await?;
            let credential = text(&found, "/credential");
            let args = json!({ "tenant": tenant.id, "credential": credential });
            desk.tell("credential_release", args, |credential| {
                format!("credential {} may be used again", text(credential, "/key_id"))
            })
            .await
        }
        Session::End { id, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let args = json!({ "tenant": tenant.id, "session": id });
            desk.tell("session_end", args, |session| {
                format!(
                    "session {} is over and its credential is suspended until it is released",
                    text(session, "/id")
                )
            })
            .await
        }
    }
}

async fn find(desk: &Desk, tenant: &Named, id: &str) -> Done<Value> {
    let args = json!({ "tenant": tenant.id, "live_only": false });
    let all = desk.ask("session_list", args).await?;
    let found = list(&all, "").iter().find(|session| text(session, "/id") == id);
    found.cloned().ok_or_else(|| {
        Problem::not_found(format!(
            "there is no session `{id}`; see `countersign session list --all`"
        ))
    })
}

fn listed(sessions: &Value) -> String {
    let row = |session: &Value| {
        vec![
            text(session, "/id"),
            text(session, "/agent_name"),
            text(session, "/task_name"),
            text(session, "/state"),
            text(session, "/client"),
            moment(session, "/ends"),
            text(session, "/calls"),
            text(session, "/anomalies"),
        ]
    };
    let rows: Vec<Vec<String>> = list(sessions, "").iter().map(row).collect();
    let heading = ["id", "agent", "task", "state", "client", "ends", "calls", "anomalies"];
    table(&heading, &rows, "no sessions")
}

fn in_words(session: &Value) -> String {
    let about = fields(&[
        ("session", text(session, "/id")),
        ("agent", text(session, "/agent_name")),
        ("task", text(session, "/task_name")),
        ("state", text(session, "/state")),
        ("credential", text(session, "/key_id")),
        ("credential state", text(session, "/credential_state")),
        ("client", text(session, "/client")),
        ("opened", moment(session, "/opened")),
        ("ends", moment(session, "/ends")),
        ("ended", moment(session, "/ended")),
        ("policy version", text(session, "/policy_version")),
        ("calls", text(session, "/calls")),
        ("anomalies", text(session, "/anomalies")),
        ("waiting", text(session, "/waiting")),
    ]);
    let row = |tool: &Value| {
        let now = if text(tool, "/now") == text(tool, "/grant") {
            String::new()
        } else {
            text(tool, "/now")
        };
        vec![text(tool, "/listed"), text(tool, "/grant"), now, text(tool, "/why")]
    };
    let rows: Vec<Vec<String>> = list(session, "/tools").iter().map(row).collect();
    format!(
        "{about}\n{}",
        table(&["allowlist", "grant", "narrowed to", "why"], &rows, "its allowlist is empty\n")
    )
}

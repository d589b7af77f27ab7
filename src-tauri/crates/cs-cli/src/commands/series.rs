//! `countersign approval series`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::{Done, Problem};
use crate::output::{Output, fields, line, pretty, table};
use crate::passphrase;

#[derive(Debug, Subcommand)]
pub(crate) enum Series {
    /// Lists the series that run
    List {
        /// Those of the last day as well that are over
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Takes a series back: it pays for no more calls
    Revoke { id: String },
    /// Signs a series: for a call that waits and more like it, or ahead of any call of a session
    Sign(Wanted),
}

/// What a series is for.
#[derive(Debug, clap::Args)]
pub(crate) struct Wanted {
    /// The call that waits; it is approved with it
    #[arg(long, value_name = "ID", required_unless_present = "session", conflicts_with_all = ["session", "tool"])]
    request: Option<String>,
    /// The session, where no call of it waits
    #[arg(long, value_name = "ID", requires = "tool")]
    session: Option<String>,
    /// The tool, where no call of it waits: `tool`, or `server/tool`
    #[arg(long, requires = "session")]
    tool: Option<String>,
    /// For how many calls it pays, the one that waits not counted
    #[arg(long, value_name = "1-100", value_parser = clap::value_parser!(u8).range(1..=100))]
    calls: u8,
    /// How long it lasts
    #[arg(long, value_name = "1-15", value_parser = clap::value_parser!(u32).range(1..=15))]
    minutes: u32,
    /// A file with the JSON Schema that the arguments satisfy; without one, exactly the arguments
    /// of the call that waits
    #[arg(long, value_name = "FILE", conflicts_with = "any_arguments")]
    schema: Option<std::path::PathBuf>,
    /// Any arguments will do
    #[arg(long)]
    any_arguments: bool,
    /// Why, for the log
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    which: Which,
}

pub(crate) async fn run(desk: &Desk, command: Series) -> Done {
    match command {
        Series::List { all, which } => {
            let args = match which.tenant {
                Some(name) => json!({ "tenant": desk.tenant(Some(&name)).await?.id, "all": all }),
                None => json!({ "all": all }),
            };
            desk.tell("series_list", args, listed).await
        }
        Series::Revoke { id } => {
            let all = desk.ask("series_list", json!({ "all": true })).await?;
            let found = list(&all, "").iter().find(|it| text(it, "/id") == id).cloned();
            let found = found.ok_or_else(|| {
                Problem::not_found(format!(
                    "there is no series `{id}`; see `countersign approval series list`"
                ))
            })?;
            let args = json!({ "tenant": found.get("tenant"), "series": id });
            desk.tell("series_revoke", args, |it| {
                format!("series {} is taken back", text(it, "/id"))
            })
            .await
        }
        Series::Sign(wanted) => sign(desk, wanted).await,
    }
}

async fn sign(desk: &Desk, wanted: Wanted) -> Done {
    let mut args = json!({ "calls": wanted.calls, "secs": wanted.minutes.saturating_mul(60),
                           "any_arguments": wanted.any_arguments, "reason": wanted.reason });
    let mut set = |member: &str, value: Value| {
        if let Some(members) = args.as_object_mut() {
            members.insert(member.to_owned(), value);
        }
    };
    if let Some(file) = &wanted.schema {
        let schema = std::fs::read_to_string(file).map_err(|source| {
            Problem::invalid(format!("could not read {}: {source}", file.display()))
        })?;
        set("schema", json!(schema));
    }
    if let Some(id) = &wanted.request {
        let view = super::approval::show(desk, id).await?;
        if desk.output == Output::Person {
            line(&super::approval::in_words(&view));
        }
        // What was shown is what is signed: the core refuses if it is not what was asked for.
        set("tenant", view.pointer("/row/tenant").cloned().unwrap_or_default());
        set("approval", json!(id));
        set("shown", view.get("arguments_digest").cloned().unwrap_or_default());
    } else {
        let tenant = desk.tenant(wanted.which.tenant.as_deref()).await?;
        let tools = desk.tools(&tenant, wanted.tool.as_slice()).await?;
        set("tenant", json!(tenant.id));
        set("session", json!(wanted.session));
        set("tool", json!(tools.first()));
    }
    let passphrase = passphrase::ask(&desk.everywhere, "Your passphrase, to sign these calls: ")?;
    set("passphrase", json!(passphrase));
    desk.tell("series_sign", args, signed).await
}

fn signed(series: &Value) -> String {
    let (calls, until) = (text(series, "/calls"), moment(series, "/expires"));
    let about = fields(&[
        ("series", text(series, "/id")),
        ("pays for", format!("{calls} calls of {} until {until}", text(series, "/tool_name"))),
        ("of agent", text(series, "/agent_name")),
        ("session", text(series, "/session")),
        ("signed by", text(series, "/operator_name")),
    ]);
    format!("{about}with arguments that satisfy\n{}", pretty(&text(series, "/schema")))
}

fn listed(all: &Value) -> String {
    let row = |series: &Value| {
        let state = match (text(series, "/running").as_str(), text(series, "/fault").as_str()) {
            ("true", "") => "runs".to_owned(),
            ("true", fault) => format!("pays for nothing now: {fault}"),
            (_, why) => format!("over: {why}"),
        };
        vec![
            text(series, "/id"),
            text(series, "/agent_name"),
            text(series, "/tool_name"),
            format!("{} of {}", text(series, "/used"), text(series, "/calls")),
            moment(series, "/expires"),
            text(series, "/operator_name"),
            state,
            text(series, "/schema"),
        ]
    };
    let rows: Vec<Vec<String>> = list(all, "").iter().map(row).collect();
    let heading = ["id", "agent", "tool", "made", "until", "signed by", "state", "arguments"];
    table(&heading, &rows, "no series run")
}

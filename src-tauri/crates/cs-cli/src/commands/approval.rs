//! `countersign approval`.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::issued::{self, Issue};
use super::series::{self, Series};
use super::signing::progress;
use super::tenant::Which;
use super::webhook::{self, Webhook};
use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::{Done, Problem};
use crate::output::{Output, fields, line, pretty, table};
use crate::passphrase;

#[derive(Debug, Subcommand)]
pub(crate) enum Approval {
    /// Lists calls that wait, or that waited
    List {
        /// Only those in this state; those that wait unless said otherwise
        #[arg(long = "state", value_name = "STATE")]
        states: Vec<State>,
        /// In every state
        #[arg(long, conflicts_with = "states")]
        all: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Shows a call with its arguments
    Show { id: String },
    /// Signs a call: once all have signed whom its tool asks for, it may be made once, exactly as
    /// it was asked for
    Approve {
        id: String,
        /// Why; asked for by some tools
        #[arg(long)]
        reason: Option<String>,
        /// Sign alone, as an owner, what takes more signatures or a group; raises an alert
        #[arg(long, requires = "reason")]
        break_glass: bool,
    },
    /// Signs a call before the agent makes it, and prints the operation token that pays for it
    Issue(Issue),
    /// Refuses a call; with a passphrase in the name of its operator, else as the command line
    Deny {
        id: String,
        /// Why; the agent is told
        #[arg(long)]
        reason: String,
    },
    /// Refuses every call of a session that waits, for one reason
    DenyAll {
        session: String,
        /// Why; the agent is told
        #[arg(long)]
        reason: String,
        /// End the session too, and suspend the credential that opened it
        #[arg(long)]
        end_session: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Shows how people decided and how long they took, and which grants that speaks for
    Stats {
        /// By what to count
        #[arg(long, value_enum, default_value = "tool")]
        by: By,
        /// Over how many days
        #[arg(long, default_value = "30", value_parser = clap::value_parser!(u32).range(1..=365))]
        days: u32,
        #[command(flatten)]
        which: Which,
    },
    /// Lists, signs and takes back series: one signature for some calls that are alike
    #[command(subcommand)]
    Series(Series),
    /// Has a web server told when calls begin to wait
    #[command(subcommand)]
    Webhook(Webhook),
    /// Shows how the last seven days went
    Week {
        #[command(flatten)]
        which: Which,
    },
}

/// By what decisions are counted.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum By {
    Agent,
    Tool,
}

/// What became of a call that waited.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    Approved,
    Denied,
    Executed,
    Expired,
    Pending,
    Unknown,
    Withdrawn,
}

pub(crate) async fn run(desk: &Desk, command: Approval) -> Done {
    match command {
        Approval::List { states, all, which } => show_all(desk, &states, all, &which).await,
        Approval::Show { id } => {
            let view = show(desk, &id).await?;
            desk.output.tell(&view, in_words);
            Ok(())
        }
        Approval::Approve { id, reason, break_glass } => {
            approve(desk, &id, reason.as_deref(), break_glass).await
        }
        Approval::Deny { id, reason } => {
            let row = find(desk, &id).await?;
            let args = json!({ "tenant": row.get("tenant"), "approval": id, "reason": reason });
            desk.tell("approval_deny", in_name(desk, args)?, in_words).await
        }
        Approval::DenyAll { session, reason, end_session, which } => {
            let tenant = desk.tenant(which.tenant.as_deref()).await?;
            let args = json!({
                "tenant": tenant.id, "session": session, "reason": reason, "end_session": end_session,
            });
            let words = |done: &Value| match text(done, "/session_ended").as_str() {
                "yes" => format!("{} calls denied; the session is over", text(done, "/denied")),
                _ => format!("{} calls denied", text(done, "/denied")),
            };
            desk.tell("approval_deny_all", in_name(desk, args)?, words).await
        }
        Approval::Stats { by, days, which } => {
            let by = match by {
                By::Agent => "agent",
                By::Tool => "tool",
            };
            let mut args = json!({ "by": by, "days": days });
            if let (Some(name), Some(members)) = (which.tenant, args.as_object_mut()) {
                members.insert("tenant".to_owned(), json!(desk.tenant(Some(&name)).await?.id));
            }
            desk.tell("approval_stats", args, stats).await
        }
        Approval::Issue(wanted) => issued::run(desk, &wanted).await,
        Approval::Series(command) => series::run(desk, command).await,
        Approval::Webhook(command) => webhook::run(desk, command).await,
        Approval::Week { which } => {
            let args = match which.tenant {
                Some(name) => json!({ "tenant": desk.tenant(Some(&name)).await?.id }),
                None => json!({}),
            };
            desk.tell("approval_week", args, week).await
        }
    }
}

/// With the passphrase of the operator who denies, where one was given.
fn in_name(desk: &Desk, mut args: Value) -> Done<Value> {
    if let (Some(_), Some(members)) = (&desk.everywhere.passphrase_file, args.as_object_mut()) {
        let passphrase = passphrase::ask(&desk.everywhere, "")?;
        members.insert("passphrase".to_owned(), json!(passphrase));
    }
    Ok(args)
}

async fn show_all(desk: &Desk, states: &[State], all: bool, which: &Which) -> Done {
    let mut args = json!({});
    if let Some(members) = args.as_object_mut() {
        if let Some(name) = &which.tenant {
            members.insert("tenant".to_owned(), json!(desk.tenant(Some(name)).await?.id));
        }
        let named: Vec<&str> = states.iter().map(|state| name_of(*state)).collect();
        let wanted = match (all, named.is_empty()) {
            (true, _) => every_state(),
            (false, true) => vec!["pending"],
            (false, false) => named,
        };
        members.insert("states".to_owned(), json!(wanted));
    }
    let rows = desk.ask("approval_list", args).await?;
    if desk.output == Output::Person {
        desk.output.tell(&rows, listed);
        return Ok(());
    }
    // Programs are given what they need in order to decide, in one piece.
    let mut whole = Vec::new();
    for row in list(&rows, "") {
        let args = json!({ "tenant": row.get("tenant"), "approval": row.get("id") });
        let view = desk.ask("approval_show", args).await?;
        whole.push(for_programs(&view));
    }
    line(&Value::Array(whole).to_string());
    Ok(())
}

fn for_programs(view: &Value) -> Value {
    let row = |name: &str| view.get("row").and_then(|row| row.get(name));
    let arguments: Value = serde_json::from_str(&text(view, "/arguments")).unwrap_or_default();
    json!({
        "id": row("id"),
        "tenant": row("tenant_name"),
        "agent": row("agent_name"),
        "session": view.get("session"),
        "task": row("task_name"),
        "server": row("server_name"),
        "tool": row("tool_name"),
        "arguments": arguments,
        "arguments_digest": view.get("arguments_digest"),
        "state": row("state"),
        "signed": row("signed"),
        "approvers": row("approvers"),
        "broke_glass": row("broke_glass"),
        "requested": row("requested"),
        "expires": row("expires"),
    })
}

async fn approve(desk: &Desk, id: &str, reason: Option<&str>, break_glass: bool) -> Done {
    let view = show(desk, id).await?;
    if desk.output == Output::Person {
        line(&in_words(&view));
    }
    let passphrase = passphrase::ask(&desk.everywhere, "Your passphrase, to sign this call: ")?;
    // What was shown is what is signed: the core refuses if it is not what was asked for.
    let args = json!({
        "tenant": view.pointer("/row/tenant"),
        "approval": id,
        "shown": view.get("arguments_digest"),
        "passphrase": passphrase,
        "reason": reason,
        "break_glass": break_glass,
    });
    let signed = |view: &Value| {
        let until = moment(view, "/row/expires");
        match text(view, "/signing/needed").as_str() {
            "0" => {
                let by = text(view, "/decided_by");
                format!("signed by {by}; it may be made once until {until}")
            }
            "1" => "signed; 1 more operator has to sign".to_owned(),
            more => format!("signed; {more} more operators have to sign"),
        }
    };
    desk.tell("approval_approve", args, signed).await
}

pub(super) async fn show(desk: &Desk, id: &str) -> Done<Value> {
    let row = find(desk, id).await?;
    desk.ask("approval_show", json!({ "tenant": row.get("tenant"), "approval": id })).await
}

/// The row of a request, whichever tenant it belongs to.
async fn find(desk: &Desk, id: &str) -> Done<Value> {
    let tenants = desk.ask("tenant_list", json!({})).await?;
    for tenant in list(&tenants, "") {
        let asked = json!({ "tenant": tenant.get("id"), "approval": id });
        match desk.ask("approval_show", asked).await {
            Ok(view) => return Ok(view.get("row").cloned().unwrap_or_default()),
            Err(problem) if problem.is_not_found() => {}
            Err(problem) => return Err(problem),
        }
    }
    Err(Problem::not_found(format!(
        "there is no request `{id}`; see `countersign approval list --all`"
    )))
}

fn every_state() -> Vec<&'static str> {
    State::value_variants().iter().map(|state| name_of(*state)).collect()
}

const fn name_of(state: State) -> &'static str {
    match state {
        State::Approved => "approved",
        State::Denied => "denied",
        State::Executed => "executed",
        State::Expired => "expired",
        State::Pending => "pending",
        State::Unknown => "unknown",
        State::Withdrawn => "withdrawn",
    }
}

fn listed(rows: &Value) -> String {
    let row = |row: &Value| {
        vec![
            text(row, "/id"),
            text(row, "/agent_name"),
            text(row, "/tool_name"),
            text(row, "/state"),
            moment(row, "/expires"),
        ]
    };
    let rows: Vec<Vec<String>> = list(rows, "").iter().map(row).collect();
    table(&["id", "agent", "tool", "state", "until"], &rows, "no such calls")
}

pub(super) fn in_words(view: &Value) -> String {
    let about = fields(&[
        ("request", text(view, "/row/id")),
        ("state", text(view, "/row/state")),
        ("until", moment(view, "/row/expires")),
        ("meanwhile", meanwhile(view)),
        ("tenant", text(view, "/row/tenant_name")),
        ("agent", text(view, "/row/agent_name")),
        ("task", text(view, "/row/task_name")),
        ("server", text(view, "/row/server_name")),
        ("tool", text(view, "/row/tool_name")),
        ("asked because", text(view, "/asked_because")),
        ("signatures", progress(view)),
        ("anomalies in this session", text(view, "/session_anomalies")),
        ("fingerprint of the tool", text(view, "/tool/fingerprint")),
        ("digest of the arguments", text(view, "/arguments_digest")),
        ("decided by", text(view, "/decided_by")),
        ("reason", text(view, "/reason")),
        ("outcome", text(view, "/outcome")),
    ]);
    match text(view, "/withheld").as_str() {
        "" => format!("{about}arguments\n{}", pretty(&text(view, "/arguments"))),
        why => format!("{about}arguments\n{why}\n"),
    }
}

/// What the agent does while somebody decides.
fn meanwhile(view: &Value) -> String {
    let is = |name: &str| view.pointer(name).and_then(Value::as_bool).unwrap_or_default();
    if text(view, "/row/state") != "pending" {
        return String::new();
    }
    let told = match (is("/row/held"), is("/row/goes_on")) {
        (true, true) => "the agent goes on and asks for the result",
        (true, false) => "the agent waits for the answer",
        (false, _) => "the agent does not wait; it has to come back",
    };
    told.to_owned()
}

const FIGURES: [&str; 7] =
    ["asked", "approved", "denied", "expired", "withdrawn", "median s", "90 % s"];

fn figures(of: &Value) -> [String; 7] {
    ["asked", "approved", "denied", "expired", "withdrawn", "median_seconds", "p90_seconds"]
        .map(|name| text(of, &format!("/{name}")))
}

fn stats(stats: &Value) -> String {
    let row = |line: &Value| {
        let mut name = text(line, "/name");
        let server = text(line, "/server_name");
        if !server.is_empty() {
            name = format!("{server}/{name}");
        }
        let figures = line.get("figures").map(figures).unwrap_or_default();
        [vec![text(line, "/tenant_name"), name], figures.to_vec()].concat()
    };
    let mut rows: Vec<Vec<String>> = list(stats, "/lines").iter().map(row).collect();
    if let Some(all) = stats.get("all").filter(|_| !rows.is_empty()) {
        rows.push([vec!["all".to_owned(), String::new()], figures(all).to_vec()].concat());
    }
    let heading = [["tenant", "name"].as_slice(), FIGURES.as_slice()].concat();
    let mut said = table(&heading, &rows, "nothing asked in this time");
    for one in list(stats, "/suggestions") {
        said.push_str(&format!(
            "\n{} x {}/{} in {}: {}",
            text(one, "/role_name"),
            text(one, "/server_name"),
            text(one, "/tool_name"),
            text(one, "/tenant_name"),
            text(one, "/sentence")
        ));
    }
    said
}

fn week(week: &Value) -> String {
    let about = fields(&[
        ("asked", text(week, "/asked")),
        ("approved", text(week, "/approved")),
        ("denied", text(week, "/denied")),
        ("expired", text(week, "/expired")),
        ("median seconds", text(week, "/median_seconds")),
    ]);
    let row = |tool: &Value| {
        ["/server_name", "/tool_name", "/asked", "/approved", "/denied"]
            .map(|at| text(tool, at))
            .to_vec()
    };
    let rows: Vec<Vec<String>> = list(week, "/by_tool").iter().map(row).collect();
    let tools =
        table(&["server", "tool", "asked", "approved", "denied"], &rows, "no tool was asked for\n");
    format!("{about}\n{tools}")
}

//! `countersign audit`.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::{Done, Problem};
use crate::output::{Output, fields, line, pretty, table};

/// The most events that are asked for at once.
const PAGE: u32 = 200;

/// The most sealed events that are asked for at once.
const PIECE: u32 = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Lists events, newest first; as JSON, one event a line
    List(Box<Filter>),
    /// Shows one event whole, with the others of the same call
    Show { seq: u64 },
    /// Checks the whole chain, and says how far it holds
    Verify {
        /// An exported log, instead of the registry's own
        file: Option<PathBuf>,
    },
    /// Writes the whole log, oldest first, one sealed event a line, for `audit verify FILE`
    Export {
        /// Into a new file, instead of showing it
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Which events.
#[derive(Debug, clap::Args)]
pub(crate) struct Filter {
    /// How many at most
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Only events before this number
    #[arg(long, value_name = "SEQ")]
    before: Option<u64>,
    /// Of one tenant, by name
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Of one kind, such as `decision`
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Of one agent, by name; needs the tenant where there are several
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Of one session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// With this decision
    #[arg(long)]
    decision: Option<Decision>,
    /// With this correlation id
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// With these words
    #[arg(long)]
    text: Option<String>,
    /// Not before this moment, such as `2026-07-28T09:30:00.000Z`
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this moment
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

/// What was decided on a call.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Decision {
    Allow,
    Deny,
    Hold,
}

pub(crate) async fn run(desk: &Desk, command: Audit) -> Done {
    match command {
        Audit::List(filter) => listing(desk, &filter).await,
        Audit::Show { seq } => desk.tell("audit_show", json!({ "seq": seq }), one).await,
        Audit::Verify { file: Some(file) } => verify_file(desk.output, &file),
        Audit::Verify { file: None } => {
            let chain = desk.ask("audit_verify", json!({})).await?;
            tell(desk.output, &chain)
        }
        Audit::Export { output } => export(desk, output.as_deref()).await,
    }
}

async fn listing(desk: &Desk, filter: &Filter) -> Done {
    let wanted = criteria(desk, filter).await?;
    let (mut before, mut left, mut rows) = (filter.before, filter.limit, Vec::new());
    while left > 0 {
        let limit = left.min(PAGE);
        let mut args = json!({ "filter": wanted, "limit": limit });
        if let (Some(seq), Some(members)) = (before, args.as_object_mut()) {
            members.insert("before".to_owned(), json!(seq));
        }
        let page = desk.ask("audit_page", args).await?;
        let found = list(&page, "/rows");
        left = left.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        match desk.output {
            Output::Json => found.iter().for_each(|row| line(&row.to_string())),
            Output::Person => rows.extend(found.iter().map(row)),
        }
        before = page.get("older").and_then(Value::as_u64);
        if before.is_none() || found.is_empty() {
            break;
        }
    }
    if desk.output == Output::Person {
        line(table(&["seq", "when", "who", "what"], &rows, "no such events").trim_end());
    }
    Ok(())
}

async fn criteria(desk: &Desk, filter: &Filter) -> Done<Value> {
    let mut wanted = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            wanted.insert(name.to_owned(), value);
        }
    };
    if filter.tenant.is_some() || filter.agent.is_some() {
        let tenant = desk.tenant(filter.tenant.as_deref()).await?;
        add("tenant", Some(json!(tenant.id)));
        if let Some(name) = &filter.agent {
            add("agent", Some(json!(desk.agent(&tenant, name).await?.id)));
        }
    }
    let decision = filter.decision.map(|decision| match decision {
        Decision::Allow => json!("allow"),
        Decision::Deny => json!("deny"),
        Decision::Hold => json!("hold"),
    });
    add("decision", decision);
    add("kinds", (!filter.kinds.is_empty()).then(|| json!(filter.kinds)));
    let texts = [
        ("session", &filter.session),
        ("correlation", &filter.correlation),
        ("text", &filter.text),
        ("from", &filter.from),
        ("to", &filter.to),
    ];
    for (name, value) in texts {
        add(name, value.as_ref().map(|value| json!(value)));
    }
    Ok(Value::Object(wanted))
}

async fn export(desk: &Desk, to: Option<&Path>) -> Done {
    let mut file = match to {
        Some(path) => {
            let made = File::options().write(true).create_new(true).open(path);
            let made = made.with_context(|| format!("could not make the file {}", path.display()));
            Some(BufWriter::new(made?))
        }
        None => None,
    };
    let mut after = 0;
    loop {
        let args = json!({ "after": after, "limit": PIECE });
        let piece = desk.ask("audit_export", args).await?;
        for event in list(&piece, "") {
            match &mut file {
                Some(file) => writeln!(file, "{event}").context("could not write the log")?,
                None => line(&event.to_string()),
            }
        }
        match list(&piece, "").last().and_then(|event| event.get("seq")?.as_u64()) {
            Some(seq) => after = seq,
            None => break,
        }
    }
    let Some((file, path)) = file.zip(to) else { return Ok(()) };
    file.into_inner()
        .map_err(std::io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .context("could not write the log")?;
    let exported = json!({ "events": after, "file": path });
    desk.output.tell(&exported, |_| format!("{after} events are in {}", path.display()));
    Ok(())
}

/// Checks an exported log. It takes no registry.
pub(crate) fn verify_file(output: Output, path: &Path) -> Done {
    let file = File::open(path).with_context(|| format!("could not open {}", path.display()))?;
    let chain = cs_control::sealed::check(BufReader::new(file))
        .with_context(|| format!("could not read {}", path.display()))?;
    let chain = serde_json::to_value(chain).context("could not tell how far it holds")?;
    tell(output, &chain)
}

fn tell(output: Output, chain: &Value) -> Done {
    output.tell(chain, |chain| {
        let (events, to) = (text(chain, "/events"), text(chain, "/verified_to"));
        let head = text(chain, "/head");
        match text(chain, "/problem") {
            problem if problem.is_empty() => {
                format!("the chain holds: all {events} events, up to number {to}\nhead  {head}")
            }
            problem => format!("the chain holds up to number {to} of {events} events\n{problem}"),
        }
    });
    if chain.get("whole").and_then(Value::as_bool) == Some(true) {
        return Ok(());
    }
    Err(Problem::invalid(
        "the audit log is not whole: keep it as it is, and compare it with a copy",
    ))
}

fn row(event: &Value) -> Vec<String> {
    vec![text(event, "/seq"), moment(event, "/at"), text(event, "/who"), text(event, "/summary")]
}

fn one(detail: &Value) -> String {
    let about = fields(&[
        ("event", text(detail, "/row/seq")),
        ("at", text(detail, "/row/at")),
        ("kind", text(detail, "/row/kind")),
        ("who", text(detail, "/row/who")),
        ("what", text(detail, "/row/summary")),
        ("correlation", text(detail, "/row/correlation")),
        ("hash", text(detail, "/row/hash")),
        ("previous hash", text(detail, "/previous_hash")),
    ]);
    let thread: Vec<Vec<String>> = list(detail, "/thread").iter().map(row).collect();
    let thread = table(&["seq", "when", "who", "what"], &thread, "no other events of this call\n");
    format!("{about}sealed event\n{}\n{thread}", pretty(&text(detail, "/event")))
}

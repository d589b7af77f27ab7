//! `countersign credential rotate`, `rollback` and `housekeeping`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::credential::{insert, named};
use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::{Done, Problem};
use crate::output::fields;

/// How many are replaced before people are told how far it is.
const PIECE: u32 = 50;

/// What to replace.
#[derive(Debug, clap::Args)]
#[group(id = "what", required = true, multiple = false, args = ["key", "agent", "all"])]
pub(crate) struct Rotate {
    /// Its key id, or its id
    key: Option<String>,
    /// Every API key of this agent, by name
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Every API key of the tenant. Asked again, it goes on where it was left
    #[arg(long)]
    all: bool,
    /// End the old one at once. The secret of a new one that nobody has fetched is shown this once
    #[arg(long, conflicts_with_all = ["all", "agent"])]
    now: bool,
    /// Only tell what would be replaced
    #[arg(long, conflicts_with = "now")]
    preview: bool,
    #[command(flatten)]
    which: Which,
}

/// What is done about credentials by itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Housekeeping {
    /// Shows when it was last looked, and whether it stands still
    Show,
    /// Has it go on after the clock was set: the clock is right now
    Resume,
}

pub(crate) async fn rotate(desk: &Desk, what: &Rotate) -> Done {
    let tenant = desk.tenant(what.which.tenant.as_deref()).await?;
    let mut args = json!({ "tenant": tenant.id });
    if let Some(agent) = &what.agent {
        insert(&mut args, "agent", json!(desk.agent(&tenant, agent).await?.id));
    }
    if let Some(key) = &what.key {
        insert(&mut args, "credential", named(desk, &tenant, key).await?);
    }
    if what.preview {
        return desk.tell("rotate_preview", args, previewed).await;
    }
    if what.key.is_none() {
        return all(desk, args).await;
    }
    if what.now {
        insert(&mut args, "now", json!(true));
    }
    desk.tell("credential_rotate", args, in_words).await
}

pub(crate) async fn rollback(desk: &Desk, key: &str, which: &Which) -> Done {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    let args = json!({ "tenant": tenant.id, "credential": named(desk, &tenant, key).await? });
    let words = |it: &Value| {
        format!("{} goes on, {} is over", text(it, "/old/key_id"), text(it, "/new/key_id"))
    };
    desk.tell("credential_rollback", args, words).await
}

/// What replacing would do.
fn previewed(it: &Value) -> String {
    let agents: Vec<&str> = list(it, "/agents").iter().filter_map(Value::as_str).collect();
    fields(&[
        ("would be replaced", text(it, "/keys")),
        ("of", agents.join(", ")),
        ("are being replaced", text(it, "/already")),
        ("no API keys, issued anew by hand", text(it, "/others")),
        ("the first old one ends", moment(it, "/first_end")),
    ])
}

async fn all(desk: &Desk, mut args: Value) -> Done {
    insert(&mut args, "most", json!(PIECE));
    let (mut rotated, mut before) = (0_u64, u64::MAX);
    loop {
        let mut done = desk.ask("credential_rotate_all", args.clone()).await?;
        let number = |name: &str| done.get(name).and_then(Value::as_u64).unwrap_or_default();
        let (left, failed) = (number("left"), number("failed"));
        rotated = rotated.saturating_add(number("rotated"));
        if left == 0 || left >= before {
            insert(&mut done, "rotated", json!(rotated));
            desk.output.tell(&done, |_| format!("{rotated} replaced, {left} left"));
            return if left == 0 {
                Ok(())
            } else {
                let message = format!("{failed} could not be replaced and go on; ask again later");
                Err(Problem::invalid(message))
            };
        }
        eprintln!("{rotated} replaced, {left} left");
        before = left;
    }
}

pub(crate) async fn housekeeping(desk: &Desk, command: Housekeeping) -> Done {
    let name = match command {
        Housekeeping::Show => "housekeeping_show",
        Housekeeping::Resume => "housekeeping_resume",
    };
    let words = |it: &Value| match it.get("why").and_then(Value::as_str) {
        Some(why) => format!(
            "stands still since {}: the clock was set {why}. If it is right now, have it go on \
             with `countersign credential housekeeping resume`",
            moment(it, "/halted")
        ),
        None => format!("looked last at {}", moment(it, "/last")),
    };
    desk.tell(name, json!({}), words).await
}

fn in_words(it: &Value) -> String {
    let secret = text(it, "/secret");
    let mut lines = vec![
        ("old", format!("{}, {}", text(it, "/old/key_id"), text(it, "/old/state"))),
        ("new", text(it, "/new/key_id")),
    ];
    if secret.is_empty() {
        lines.push(("handed over", "to the holder of the old one, who asks for it".to_owned()));
    } else {
        lines.push(("secret", secret));
    }
    lines.push(("expires", moment(it, "/new/expires")));
    fields(&lines)
}

//! `countersign status`.

use serde_json::{Value, json};

use crate::answer::{moment, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::fields;

pub(crate) async fn run(desk: &Desk) -> Done {
    desk.tell("status", json!({}), in_words).await
}

pub(crate) fn in_words(status: &Value) -> String {
    let gateway = match (text(status, "/gateway/url"), text(status, "/gateway/problem")) {
        (url, problem) if !url.is_empty() && problem.is_empty() => url,
        (url, problem) if !url.is_empty() => format!("{url}: {problem}"),
        (_, problem) if !problem.is_empty() => format!("not serving: {problem}"),
        _ => text(status, "/gateway/state"),
    };
    let console = match text(status, "/operator/name") {
        name if name.is_empty() => "locked".to_owned(),
        name => format!("unlocked by {name} until {}", moment(status, "/locks_at")),
    };
    let halted = match text(status, "/halted/why") {
        why if why.is_empty() => why,
        why => format!(
            "stands still since {}: the clock was set {why}; see `countersign credential \
             housekeeping`",
            moment(status, "/halted/since")
        ),
    };
    fields(&[
        ("gateway", gateway),
        ("policy version", text(status, "/policy_version")),
        ("waiting calls", text(status, "/waiting_approvals")),
        ("webhook", text(status, "/webhook_problem")),
        ("calls a minute", text(status, "/calls_per_minute")),
        ("housekeeping", halted),
        ("console", console),
        ("secrets", text(status, "/secret_store")),
        ("home", text(status, "/home")),
    ])
}

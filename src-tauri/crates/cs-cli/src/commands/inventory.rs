//! `countersign credential inventory` and `preview`.

use serde_json::{Value, json};

use super::credential::{insert, named};
use super::outlook::what;
use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::{counted, table};

/// How many are asked for at a time.
const PAGE: u32 = 500;

/// Which credentials, and in which order.
#[derive(Debug, clap::Args)]
pub(crate) struct Inventory {
    /// Those in this stage of their lives: active, expiring, overlapping, unused, waiting,
    /// suspended, expired or revoked
    #[arg(long)]
    stage: Option<String>,
    /// Those of this agent, by name
    #[arg(long)]
    agent: Option<String>,
    /// Those of this kind: api_key, certificate, client or external
    #[arg(long)]
    kind: Option<String>,
    /// Those with these words in what they are recognised by, or in the name of their agent
    #[arg(long)]
    words: Option<String>,
    /// What they are sorted by: next, agent, created, ends or used
    #[arg(long, default_value = "next")]
    sort: String,
    /// The last first
    #[arg(long)]
    reverse: bool,
    #[command(flatten)]
    which: Which,
}

/// What would be revoked.
#[derive(Debug, clap::Args)]
pub(crate) struct Preview {
    /// The agent, by name; all of the tenant's when absent
    agent: Option<String>,
    /// One credential, by its key id or its id
    #[arg(long, conflicts_with = "agent")]
    key: Option<String>,
    #[command(flatten)]
    which: Which,
}

pub(crate) async fn inventory(desk: &Desk, wanted: &Inventory) -> Done {
    let tenant = desk.tenant(wanted.which.tenant.as_deref()).await?;
    let mut filter = json!({});
    if let Some(agent) = &wanted.agent {
        insert(&mut filter, "agent", json!(desk.agent(&tenant, agent).await?.id));
    }
    for (name, said) in [("stage", &wanted.stage), ("kind", &wanted.kind), ("text", &wanted.words)]
    {
        if let Some(said) = said {
            insert(&mut filter, name, json!(said));
        }
    }
    let mut whole: Option<Value> = None;
    let mut rows: Vec<Value> = Vec::new();
    loop {
        let args = json!({ "tenant": tenant.id, "filter": filter, "order": wanted.sort,
                           "reversed": wanted.reverse, "offset": rows.len(), "limit": PAGE });
        let page = desk.ask("credential_page", args).await?;
        let found = list(&page, "/rows").to_vec();
        let is_last = found.len() < PAGE as usize;
        rows.extend(found);
        whole.get_or_insert(page);
        if is_last {
            break;
        }
    }
    let mut whole = whole.unwrap_or_default();
    insert(&mut whole, "rows", json!(rows));
    desk.output.tell(&whole, in_words);
    Ok(())
}

fn in_words(page: &Value) -> String {
    let row = |it: &Value| {
        let next = match moment(it, "/next/at") {
            at if at.is_empty() => at,
            at => format!("{at} {}", what(&text(it, "/next/what"))),
        };
        vec![
            text(it, "/credential/key_id"),
            text(it, "/credential/kind"),
            text(it, "/agent_name"),
            text(it, "/stage"),
            moment(it, "/credential/last_used"),
            next,
        ]
    };
    let rows: Vec<Vec<String>> = list(page, "/rows").iter().map(row).collect();
    let heading = ["key id", "kind", "agent", "stage", "last used", "next"];
    table(&heading, &rows, "no credentials like that")
}

pub(crate) async fn preview(desk: &Desk, wanted: &Preview) -> Done {
    let tenant = desk.tenant(wanted.which.tenant.as_deref()).await?;
    let mut args = json!({ "tenant": tenant.id });
    if let Some(agent) = &wanted.agent {
        insert(&mut args, "agent", json!(desk.agent(&tenant, agent).await?.id));
    }
    if let Some(key) = &wanted.key {
        insert(&mut args, "credential", named(desk, &tenant, key).await?);
    }
    let words = |it: &Value| {
        let row = |it: &Value| {
            ["/name", "/credentials", "/left", "/sessions", "/waiting"]
                .map(|member| text(it, member))
                .to_vec()
        };
        let rows: Vec<Vec<String>> = list(it, "/agents").iter().map(row).collect();
        let heading = ["cut off", "loses", "keeps", "sessions", "waiting calls"];
        let number = |name: &str| it.get(name).and_then(Value::as_u64).unwrap_or_default();
        format!(
            "{} would be revoked, {} end, {} be taken back\n{}",
            counted(number("credentials"), "credential"),
            counted(number("sessions"), "session"),
            counted(number("waiting"), "waiting call"),
            table(&heading, &rows, "nobody would be cut off")
        )
    };
    desk.tell("revoke_preview", args, words).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_told_with_its_stage_and_what_comes_next() {
        let page = json!({ "rows": [
            { "credential": { "key_id": "csk_1", "kind": "api_key", "last_used": null },
              "agent_name": "reader-1", "stage": "waiting",
              "next": { "at": "2026-07-28T09:30:00.000Z", "what": "ends_unused" } },
            { "credential": { "key_id": "csk_0", "kind": "api_key", "last_used": null },
              "agent_name": "reader-1", "stage": "revoked", "next": null } ] });
        let words = in_words(&page);
        assert!(words.contains("2026-07-28 09:30:00Z is revoked, if nobody uses it"), "{words}");
        assert!(words.lines().last().is_some_and(|it| it.ends_with("revoked")), "{words}");
    }
}

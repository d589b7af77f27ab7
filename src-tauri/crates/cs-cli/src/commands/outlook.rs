//! `countersign credential calendar`, `posture` and `preview`.

use serde_json::{Value, json};

use super::tenant::Which;
use crate::answer::{list, moment, text};
use crate::desk::Desk;
use crate::failure::Done;
use crate::output::table;

pub(crate) async fn calendar(desk: &Desk, which: &Which) -> Done {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    let words = |days: &Value| {
        let row = |it: &Value| {
            let what = match text(it, "/what").as_str() {
                "ends_unused" => "is revoked, if nobody uses it",
                "expires" => "ends",
                "overlap_ends" => "makes way for its successor",
                _ => "is replaced",
            };
            vec![moment(it, "/at"), text(it, "/agent_name"), text(it, "/key_id"), what.to_owned()]
        };
        let rows: Vec<Vec<String>> = list(days, "").iter().map(row).collect();
        table(&["when", "agent", "key id", "what"], &rows, "nothing in the next 90 days")
    };
    desk.tell("credential_calendar", json!({ "tenant": tenant.id }), words).await
}

pub(crate) async fn posture(desk: &Desk, which: &Which) -> Done {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    let words = |it: &Value| {
        let row = |it: &Value| {
            vec![text(it, "/agent_name"), text(it, "/key_id"), text(it, "/what"), text(it, "/fix")]
        };
        let rows: Vec<Vec<String>> = list(it, "/points").iter().map(row).collect();
        let faults = table(&["agent", "key id", "fault", "what to do"], &rows, "no faults");
        let (score, all) = (text(it, "/score"), text(it, "/credentials"));
        format!("{score} of 100, of {all} credentials\n{faults}")
    };
    desk.tell("credential_posture", json!({ "tenant": tenant.id }), words).await
}

pub(crate) async fn preview(desk: &Desk, agent: Option<&str>, which: &Which) -> Done {
    let tenant = desk.tenant(which.tenant.as_deref()).await?;
    let mut args = json!({ "tenant": tenant.id });
    if let Some(agent) = agent {
        let found = desk.agent(&tenant, agent).await?;
        super::credential::insert(&mut args, "agent", json!(found.id));
    }
    let words = |it: &Value| {
        let agents: Vec<&str> = list(it, "/agents").iter().filter_map(Value::as_str).collect();
        format!(
            "{} credentials would be revoked, {} sessions end, {} waiting calls be taken back; \
             cut off: {}",
            text(it, "/credentials"),
            text(it, "/sessions"),
            text(it, "/waiting"),
            if agents.is_empty() { "nobody".to_owned() } else { agents.join(", ") }
        )
    };
    desk.tell("revoke_preview", args, words).await
}

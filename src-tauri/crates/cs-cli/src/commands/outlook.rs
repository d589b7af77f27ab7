//! `countersign credential calendar` and `posture`.

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
            let what = what(&text(it, "/what")).to_owned();
            vec![moment(it, "/at"), text(it, "/agent_name"), text(it, "/key_id"), what]
        };
        let rows: Vec<Vec<String>> = list(days, "").iter().map(row).collect();
        table(&["when", "agent", "key id", "what"], &rows, "nothing in the next 90 days")
    };
    desk.tell("credential_calendar", json!({ "tenant": tenant.id }), words).await
}

/// What happens to a credential by itself.
pub(super) fn what(word: &str) -> &'static str {
    match word {
        "ends_unused" => "is revoked, if nobody uses it",
        "expires" => "ends",
        "overlap_ends" => "makes way for its successor",
        _ => "is replaced",
    }
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

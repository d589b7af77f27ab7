//! Follows what changes: tells the windows, counts what waits, and calls the operator when a call
//! begins to wait or a rule found something.

use std::collections::HashSet;

use cs_control::view::alert::AlertView;
use cs_control::view::approval::ApprovalRow;
use cs_control::{Change, Topic};
use cs_model::alert::AlertSeverity;
use cs_model::{AlertId, ApprovalId, TenantId};
use tauri::{AppHandle, Emitter, Manager, Runtime};
use tauri_plugin_notification::{Action, ActionPerformed, ActionType, NotificationExt};
use tokio::sync::broadcast::error::RecvError;

use crate::desk::{Desk, Waiting};
use crate::{tray, windows};

/// The event that both windows listen to.
const CHANGED: &str = "changed";
/// The kind of notification that says that a call waits.
const WAITING: &str = "waiting";
/// The kind of notification that says that a rule found something.
const FOUND: &str = "found";
/// More calls or alerts than this at once are told of in one notification.
const ONE_BY_ONE: usize = 3;

/// What there is to say when the follower missed something: everything may have changed.
const EVERYTHING: &[Topic] = &[
    Topic::Alerts,
    Topic::Approvals,
    Topic::Audit,
    Topic::Policy,
    Topic::Registry,
    Topic::Servers,
    Topic::Sessions,
    Topic::Status,
];

/// What the operator was told of already.
#[derive(Default)]
struct Known {
    waiting: Told,
    /// Nothing before the first look.
    alerts: Option<HashSet<AlertId>>,
}

/// Which waiting calls the operator was told of.
#[derive(Default)]
struct Told {
    calls: HashSet<ApprovalId>,
    /// How many, where nobody may know which: the console of a gateway elsewhere is locked.
    unnamed: usize,
}

/// What there is to say of waiting calls.
#[derive(Debug, Eq, PartialEq)]
enum News<'w> {
    /// Each of these began to wait.
    Each(Vec<&'w ApprovalRow>),
    /// So many began to wait.
    Many(usize),
    /// Nothing.
    Nothing,
    /// So many began to wait, and nobody may know which.
    Unnamed(usize),
}

impl Told {
    /// What of these calls the operator has not been told, which is told from now on.
    fn news<'w>(&mut self, waiting: &'w Waiting) -> News<'w> {
        let Some(rows) = &waiting.rows else {
            let more = waiting.count.saturating_sub(self.unnamed.max(self.calls.len()));
            *self = Self { unnamed: waiting.count, calls: HashSet::new() };
            return if more == 0 { News::Nothing } else { News::Unnamed(more) };
        };
        let new: Vec<_> = rows.iter().filter(|it| !self.calls.contains(&it.id)).collect();
        // Whoever unlocks sees what was told of without names.
        let told = std::mem::take(&mut self.unnamed);
        self.calls = rows.iter().map(|it| it.id).collect();
        match new.len() {
            0 => News::Nothing,
            some if some <= told => News::Nothing,
            few if few <= ONE_BY_ONE => News::Each(new),
            many => News::Many(many),
        }
    }
}

/// Follows the changes until the console ends.
pub(crate) fn start<R: Runtime>(app: &AppHandle<R>) {
    prepare(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut changes = app.state::<Desk>().changes();
        let mut known = Known::default();
        count(&app, &mut known.waiting).await;
        alerts(&app, &mut known.alerts).await;
        loop {
            match changes.recv().await {
                Ok(change) => hear(&app, &mut known, &[change.topic]).await,
                Err(RecvError::Lagged(_)) => hear(&app, &mut known, EVERYTHING).await,
                Err(RecvError::Closed) => return,
            }
        }
    });
}

async fn hear<R: Runtime>(app: &AppHandle<R>, known: &mut Known, topics: &[Topic]) {
    for topic in topics {
        if let Err(problem) = app.emit(CHANGED, Change { topic: *topic }) {
            tracing::warn!(%problem, "a window could not be told of a change");
        }
    }
    if topics.contains(&Topic::Approvals) {
        count(app, &mut known.waiting).await;
    }
    if topics.contains(&Topic::Alerts) {
        alerts(app, &mut known.alerts).await;
    }
}

/// Tells of each alert that was not there before; at the start, of how many there are.
async fn alerts<R: Runtime>(app: &AppHandle<R>, known: &mut Option<HashSet<AlertId>>) {
    let Ok(open) = app.state::<Desk>().alerts().await else { return };
    let now = open.iter().map(|it| it.id).collect();
    let before = known.replace(now);
    let new: Vec<_> = match &before {
        Some(before) => open.iter().filter(|it| !before.contains(&it.id)).collect(),
        None => open.iter().collect(),
    };
    match (before, new.as_slice()) {
        (_, []) => {}
        (Some(_), few) if few.len() <= ONE_BY_ONE => few.iter().for_each(|it| found(app, it)),
        (Some(_), many) => show(app, "Alerts", &format!("{} new alerts", many.len())),
        (None, some) => {
            show(app, "Alerts", &format!("{} nobody has looked at yet", some.len()));
        }
    }
}

/// What was found and whose it is, and nothing that an agent could have written.
fn found<R: Runtime>(app: &AppHandle<R>, alert: &AlertView) {
    let title = match alert.severity {
        AlertSeverity::Alert => "Alert",
        AlertSeverity::Incident => "Incident",
    };
    let whose = [alert.agent_name.as_deref(), alert.tenant_name.as_deref()];
    let whose: Vec<&str> = whose.into_iter().flatten().collect();
    let whose = whose.join(" in ");
    let body =
        if whose.is_empty() { alert.title.clone() } else { format!("{}: {whose}", alert.title) };
    show(app, title, &body);
}

fn show<R: Runtime>(app: &AppHandle<R>, title: &str, body: &str) {
    let notification = app.notification().builder().title(title).body(body);
    if let Err(problem) = notification.action_type_id(FOUND).extra(FOUND, true).show() {
        tracing::warn!(%problem, "there could be no notification");
    }
}

/// Counts what waits, and tells of each call that did not wait before.
async fn count<R: Runtime>(app: &AppHandle<R>, told: &mut Told) {
    let Ok(waiting) = app.state::<Desk>().waiting().await else { return };
    tray::show_waiting(app, waiting.count);
    match told.news(&waiting) {
        News::Each(few) => few.iter().for_each(|it| tell(app, &text(it), Some(it))),
        News::Many(many) => tell(app, &format!("{many} calls wait for you"), None),
        News::Nothing => {}
        News::Unnamed(1) => tell(app, "Unlock the console to see which", None),
        News::Unnamed(many) => {
            tell(app, &format!("{many} calls: unlock the console to see which"), None);
        }
    }
}

/// Who asks for what, and nothing that the agent could have written: the screen may be seen by
/// others, and the arguments are for the approval window.
fn text(row: &ApprovalRow) -> String {
    format!("{} asks for {} in {}", row.agent_name, row.tool_name, row.tenant_name)
}

fn tell<R: Runtime>(app: &AppHandle<R>, body: &str, row: Option<&ApprovalRow>) {
    let mut notification = app
        .notification()
        .builder()
        .title("A call waits for you")
        .body(body)
        .action_type_id(WAITING);
    if let Some(row) = row {
        notification = notification.extra("tenant", row.tenant).extra("approval", row.id);
    }
    if let Err(problem) = notification.show() {
        tracing::warn!(%problem, "there could be no notification");
    }
}

/// A click on a notification opens the window that it is about. It decides nothing.
fn prepare<R: Runtime>(app: &AppHandle<R>) {
    let looks = [WAITING, FOUND].map(|kind| {
        ActionType::builder(kind).actions(vec![Action::builder("look", "Look").build()]).build()
    });
    let opener = app.clone();
    let prepared = app
        .notification()
        .register_action_types(looks.into())
        .and_then(|()| app.notification().on_action(move |action| open(&opener, action)));
    if let Err(problem) = prepared {
        tracing::warn!(%problem, "clicks on notifications will not be heard");
    }
}

fn open<R: Runtime>(app: &AppHandle<R>, action: &ActionPerformed) {
    let about_alert = action.notification().is_some_and(|it| it.extra().contains_key(FOUND));
    let opened = if about_alert {
        windows::show_main(app)
    } else {
        windows::show_approval(app, which(action))
    };
    if let Err(problem) = opened {
        tracing::warn!(%problem, "the window that a notification is about could not be opened");
    }
}

fn which(action: &ActionPerformed) -> Option<(TenantId, ApprovalId)> {
    let extra = action.notification()?.extra();
    let text = |key| extra.get(key).and_then(serde_json::Value::as_str);
    Some((text("tenant")?.parse().ok()?, text("approval")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(n: u8) -> ApprovalRow {
        let id = |kind: &str| format!("{kind}_{}", format!("{n:02x}").repeat(16));
        serde_json::from_value(json!({
            "id": id("apr"), "tenant": id("tnt"), "tenant_name": "acme", "agent_name": "scribe",
            "task_name": "notes", "server_name": "files", "tool_name": "write",
            "state": "pending", "requested": "2026-07-28T09:30:00Z",
            "expires": "2026-07-28T09:45:00Z", "held": true, "goes_on": false, "signed": 0,
            "approvers": 1, "broke_glass": false,
        }))
        .unwrap()
    }

    fn rows(numbers: &[u8]) -> Waiting {
        let rows: Vec<_> = numbers.iter().map(|n| row(*n)).collect();
        Waiting { count: rows.len(), rows: Some(rows) }
    }

    /// Attacks U10: a locked console says how many, and of nobody.
    #[test]
    fn u10_each_call_is_told_of_once_and_without_names_where_the_console_is_locked() {
        let locked = |count| Waiting { count, rows: None };
        let mut told = Told::default();
        assert_eq!(told.news(&locked(0)), News::Nothing);
        assert_eq!(told.news(&locked(2)), News::Unnamed(2));
        assert_eq!(told.news(&locked(2)), News::Nothing);
        assert_eq!(told.news(&locked(3)), News::Unnamed(1));
        assert_eq!(told.news(&locked(1)), News::Nothing, "somebody decided");
        assert_eq!(told.news(&locked(2)), News::Unnamed(1));
        assert_eq!(told.news(&rows(&[1, 2])), News::Nothing, "whoever unlocks was told");
        let three = rows(&[1, 2, 3]);
        assert!(matches!(told.news(&three), News::Each(new) if new.len() == 1));
        assert_eq!(told.news(&locked(3)), News::Nothing, "nor is locking news");
        assert_eq!(told.news(&locked(4)), News::Unnamed(1));
        let many = rows(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(told.news(&many), News::Many(9));
    }
}

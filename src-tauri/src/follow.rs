//! Follows what changes: tells the windows, counts what waits, and calls the operator when a call
//! begins to wait.

use std::collections::HashSet;

use cs_control::view::approval::ApprovalRow;
use cs_control::{Change, Topic};
use cs_model::{ApprovalId, TenantId};
use tauri::{AppHandle, Emitter, Manager, Runtime};
use tauri_plugin_notification::{Action, ActionPerformed, ActionType, NotificationExt};
use tokio::sync::broadcast::error::RecvError;

use crate::desk::Desk;
use crate::{tray, windows};

/// The event that both windows listen to.
const CHANGED: &str = "changed";
/// The kind of notification that says that a call waits.
const WAITING: &str = "waiting";
/// More calls than this at once are told of in one notification.
const ONE_BY_ONE: usize = 3;

/// What there is to say when the follower missed something: everything may have changed.
const EVERYTHING: &[Topic] = &[
    Topic::Approvals,
    Topic::Audit,
    Topic::Policy,
    Topic::Registry,
    Topic::Servers,
    Topic::Sessions,
    Topic::Status,
];

/// Follows the changes until the console ends.
pub(crate) fn start<R: Runtime>(app: &AppHandle<R>) {
    prepare(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut changes = app.state::<Desk>().changes();
        let mut known = HashSet::new();
        count(&app, &mut known).await;
        loop {
            match changes.recv().await {
                Ok(change) => hear(&app, &mut known, &[change.topic]).await,
                Err(RecvError::Lagged(_)) => hear(&app, &mut known, EVERYTHING).await,
                Err(RecvError::Closed) => return,
            }
        }
    });
}

async fn hear<R: Runtime>(app: &AppHandle<R>, known: &mut HashSet<ApprovalId>, topics: &[Topic]) {
    for topic in topics {
        if let Err(problem) = app.emit(CHANGED, Change { topic: *topic }) {
            tracing::warn!(%problem, "a window could not be told of a change");
        }
    }
    if topics.contains(&Topic::Approvals) {
        count(app, known).await;
    }
}

/// Counts what waits, and tells of each call that did not wait before.
async fn count<R: Runtime>(app: &AppHandle<R>, known: &mut HashSet<ApprovalId>) {
    let Ok(waiting) = app.state::<Desk>().waiting().await else { return };
    tray::show_waiting(app, waiting.len());
    let new: Vec<_> = waiting.iter().filter(|it| !known.contains(&it.id)).collect();
    match new.as_slice() {
        [] => {}
        few if few.len() <= ONE_BY_ONE => few.iter().for_each(|it| tell(app, &text(it), Some(it))),
        many => tell(app, &format!("{} calls wait for you", many.len()), None),
    }
    *known = waiting.iter().map(|it| it.id).collect();
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

/// A click on a notification opens the approval window. It decides nothing.
fn prepare<R: Runtime>(app: &AppHandle<R>) {
    let look =
        ActionType::builder(WAITING).actions(vec![Action::builder("look", "Look").build()]).build();
    let opener = app.clone();
    let prepared = app
        .notification()
        .register_action_types(vec![look])
        .and_then(|()| app.notification().on_action(move |action| open(&opener, action)));
    if let Err(problem) = prepared {
        tracing::warn!(%problem, "clicks on notifications will not be heard");
    }
}

fn open<R: Runtime>(app: &AppHandle<R>, action: &ActionPerformed) {
    if let Err(problem) = windows::show_approval(app, which(action)) {
        tracing::warn!(%problem, "the approval window could not be opened");
    }
}

fn which(action: &ActionPerformed) -> Option<(TenantId, ApprovalId)> {
    let extra = action.notification()?.extra();
    let text = |key| extra.get(key).and_then(serde_json::Value::as_str);
    Some((text("tenant")?.parse().ok()?, text("approval")?.parse().ok()?))
}

//! What happens when the console's window is closed: the gateway goes on where a tray icon leads
//! back to it, and otherwise the operator is asked whether all of it shall end.

use tauri::{AppHandle, Manager, Runtime, Window, WindowEvent};

use crate::desk::Desk;
use crate::tray::Tray;
use crate::windows::MAIN;

/// Hears what happens to a window.
pub(crate) fn heard<R: Runtime>(window: &Window<R>, event: &WindowEvent) {
    if let (MAIN, WindowEvent::CloseRequested { api, .. }) = (window.label(), event) {
        api.prevent_close();
        let window = window.clone();
        tauri::async_runtime::spawn(async move { close(&window).await });
    }
}

async fn close<R: Runtime>(window: &Window<R>) {
    let app = window.app_handle();
    if app.try_state::<Tray<R>>().is_some() && tray_is_shown().await {
        if let Err(problem) = window.hide() {
            tracing::warn!(%problem, "the window could not be hidden");
        }
    } else if ends(app).await {
        app.exit(0);
    }
}

async fn ends<R: Runtime>(app: &AppHandle<R>) -> bool {
    // A gateway elsewhere goes on without this console.
    if app.try_state::<Desk>().is_some_and(|desk| !desk.has_gateway()) {
        return true;
    }
    let answer = rfd::AsyncMessageDialog::new()
        .set_level(rfd::MessageLevel::Warning)
        .set_title("Quit Countersign?")
        .set_description(
            "The gateway stops with it: until you start Countersign again, every agent's call is \
             refused.",
        )
        .set_buttons(rfd::MessageButtons::OkCancelCustom(
            String::from("Quit"),
            String::from("Keep running"),
        ))
        .show()
        .await;
    matches!(answer, rfd::MessageDialogResult::Ok)
        || matches!(answer, rfd::MessageDialogResult::Custom(text) if text == "Quit")
}

/// Whether something shows tray icons in this session.
#[cfg(target_os = "linux")]
async fn tray_is_shown() -> bool {
    let shown = async {
        let bus = zbus::Connection::session().await?;
        let names = zbus::fdo::DBusProxy::new(&bus).await?;
        names
            .name_has_owner("org.kde.StatusNotifierWatcher".try_into()?)
            .await
            .map_err(zbus::Error::from)
    };
    shown.await.unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
async fn tray_is_shown() -> bool {
    true
}

//! The two windows: the console, and the one in which a person decides.
//!
//! Both show only what the app brings along. Neither goes anywhere else, opens another window,
//! downloads anything or is granted a device.

use cs_model::{ApprovalId, TenantId};
use tauri::webview::{NewWindowResponse, PermissionResponse};
use tauri::{
    AppHandle, Emitter as _, Manager, Runtime, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
};

/// The label of the console's window. Its capability has everything but deciding.
pub(crate) const MAIN: &str = "main";
/// The label of the approval window. Its capability has deciding and nothing else.
pub(crate) const APPROVAL: &str = "approval";
/// The event by which the console's window is asked to show what waits.
const INBOX: &str = "inbox";

/// The page that the console's window begins with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum First {
    /// The calls that wait.
    Inbox,
    /// The overview.
    Overview,
}

/// Opens the console's window, or brings it to the front.
///
/// # Errors
///
/// The system did not make the window.
pub(crate) fn show_main<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let window = match app.get_webview_window(MAIN) {
        Some(window) => window,
        None => main(app, true, First::Overview)?,
    };
    bring_forward(&window)
}

/// Brings the console's window to the front, and asks it to show the calls that wait. It does
/// unless a dialog is open, which may hold what is shown only once.
///
/// # Errors
///
/// The system did not make the window.
pub(crate) fn show_inbox<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let window = match app.get_webview_window(MAIN) {
        Some(window) => {
            app.emit_to(MAIN, INBOX, ())?;
            window
        }
        None => main(app, true, First::Inbox)?,
    };
    bring_forward(&window)
}

/// Makes the console's window.
///
/// # Errors
///
/// The system did not make the window.
pub(crate) fn main<R: Runtime>(
    app: &AppHandle<R>,
    visible: bool,
    first: First,
) -> tauri::Result<WebviewWindow<R>> {
    let page = match first {
        First::Inbox => "index.html#/approvals",
        First::Overview => "index.html",
    };
    confined(app, MAIN, page)?
        .title("Countersign")
        .inner_size(1280.0, 800.0)
        .min_inner_size(1024.0, 700.0)
        .visible(visible)
        .build()
}

/// Shows a waiting call in the approval window, or the list of them.
///
/// # Errors
///
/// The system did not make the window.
pub(crate) fn show_approval<R: Runtime>(
    app: &AppHandle<R>,
    which: Option<(TenantId, ApprovalId)>,
) -> tauri::Result<()> {
    let place = match which {
        Some((tenant, approval)) => format!("/decide?tenant={tenant}&approval={approval}"),
        None => String::from("/decide"),
    };
    let window = match app.get_webview_window(APPROVAL) {
        Some(window) => {
            let mut url = window.url()?;
            url.set_fragment(Some(&place));
            window.navigate(url)?;
            window
        }
        None => confined(app, APPROVAL, &format!("index.html#{place}"))?
            .title("Countersign: decide")
            .inner_size(860.0, 760.0)
            .min_inner_size(640.0, 560.0)
            .disable_drag_drop_handler()
            .build()?,
    };
    bring_forward(&window)
}

fn bring_forward<R: Runtime>(window: &WebviewWindow<R>) -> tauri::Result<()> {
    window.show()?;
    window.unminimize()?;
    window.set_focus()
}

/// Where the web view's requests to the network go: to nobody. What the content security policy
/// does not cover, such as connecting ahead of a click, ends here too, before any name is looked
/// up. No program of an ordinary user can listen on this port.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A window that stays where it is, and speaks with nobody but this program.
fn confined<'a, R: Runtime>(
    app: &'a AppHandle<R>,
    label: &str,
    path: &str,
) -> tauri::Result<WebviewWindowBuilder<'a, R, AppHandle<R>>> {
    let builder = WebviewWindowBuilder::new(app, label, WebviewUrl::App(path.into()));
    let builder = if cfg!(target_os = "linux") {
        builder.proxy_url(NOWHERE.parse().map_err(tauri::Error::InvalidUrl)?)
    } else {
        builder
    };
    Ok(builder
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_permission_request(|_, _| PermissionResponse::Deny))
}

/// Whether an address is one of the app's own pages.
fn is_ours(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => cfg!(windows) && url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d02_only_the_apps_own_pages_may_be_gone_to() {
        let cases = [
            ("tauri://localhost/", true),
            ("tauri://localhost/decide?tenant=x", true),
            ("tauri://evil.example/", false),
            ("tauri://app.evil.example/", false),
            ("https://evil.example/", false),
            ("http://localhost/", false),
            ("http://tauri.localhost.evil.example/", false),
            ("https://app.attacker.com/", false),
            ("file:///etc/passwd", false),
            ("data:text/html,x", false),
            ("javascript:alert(1)", false),
            ("about:blank", false),
            ("blob:tauri://localhost/x", false),
        ];
        for (url, ours) in cases {
            assert_eq!(is_ours(&url.parse().unwrap()), ours, "{url}");
        }
    }
}

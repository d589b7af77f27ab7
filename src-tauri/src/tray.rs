//! The icon in the system's tray: how many calls wait, and the way back to the window.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tauri::image::Image;
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Runtime, include_image};

use crate::desk::Desk;
use crate::windows;

const CALM: Image<'static> = include_image!("../icons/tray.png");
const WAITING: Image<'static> = include_image!("../icons/tray-waiting.png");

const OPEN: &str = "open";
const DECIDE: &str = "decide";
const LOCK: &str = "lock";
const QUIT: &str = "quit";

/// The icon, and the menu entry that counts.
pub(crate) struct Tray<R: Runtime> {
    icon: TrayIcon<R>,
    decide: MenuItem<R>,
}

/// Puts the icon into the tray, if this system has what that takes.
///
/// On Linux the library that draws it is looked for while the program runs, and the code around
/// it panics where there is none. A console without a tray is still a console.
pub(crate) fn install<R: Runtime>(app: &AppHandle<R>) {
    match catch_unwind(AssertUnwindSafe(|| build(app))) {
        Ok(Ok(tray)) => {
            app.manage(tray);
        }
        Ok(Err(problem)) => tracing::warn!(%problem, "there is no tray icon"),
        Err(_) => tracing::warn!("there is no tray icon: its library is not installed"),
    }
}

fn build<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<Tray<R>> {
    let decide = MenuItem::with_id(app, DECIDE, decide_text(0), true, None::<&str>)?;
    let menu = Menu::with_items(
        app,
        &[
            &MenuItem::with_id(app, OPEN, "Open Countersign", true, None::<&str>)?,
            &decide,
            &PredefinedMenuItem::separator(app)?,
            &MenuItem::with_id(app, LOCK, "Lock", true, None::<&str>)?,
            &MenuItem::with_id(app, QUIT, "Quit", true, None::<&str>)?,
        ],
    )?;
    let icon = TrayIconBuilder::with_id("countersign")
        .icon(CALM)
        .title("")
        .tooltip("Countersign")
        .menu(&menu)
        .show_menu_on_left_click(false)
        .on_menu_event(chosen)
        .on_tray_icon_event(|icon, event| {
            if let TrayIconEvent::Click { button: MouseButton::Left, .. } = event {
                report(windows::show_main(icon.app_handle()));
            }
        })
        .build(app)?;
    Ok(Tray { icon, decide })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of a menu's handler")]
fn chosen<R: Runtime>(app: &AppHandle<R>, event: MenuEvent) {
    match event.id().as_ref() {
        OPEN => report(windows::show_main(app)),
        DECIDE => report(windows::show_approval(app, None)),
        LOCK => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move { app.state::<Desk>().lock().await });
        }
        QUIT => app.exit(0),
        _ => {}
    }
}

fn report(done: tauri::Result<()>) {
    if let Err(problem) = done {
        tracing::warn!(%problem, "the window could not be shown");
    }
}

/// Shows how many calls wait.
pub(crate) fn show_waiting<R: Runtime>(app: &AppHandle<R>, waiting: usize) {
    let Some(tray) = app.try_state::<Tray<R>>() else { return };
    let (icon, title) =
        if waiting == 0 { (CALM, String::new()) } else { (WAITING, waiting.to_string()) };
    let shown = tray
        .icon
        .set_icon(Some(icon))
        .and_then(|()| tray.icon.set_title(Some(title)))
        .and_then(|()| tray.icon.set_tooltip(Some(tooltip(waiting))))
        .and_then(|()| tray.decide.set_text(decide_text(waiting)));
    if let Err(problem) = shown {
        tracing::warn!(%problem, "the tray icon could not be changed");
    }
}

fn decide_text(waiting: usize) -> String {
    match waiting {
        0 => String::from("Nothing waits for you"),
        1 => String::from("Decide on 1 call"),
        more => format!("Decide on {more} calls"),
    }
}

fn tooltip(waiting: usize) -> String {
    match waiting {
        0 => String::from("Countersign"),
        1 => String::from("Countersign: 1 call waits for you"),
        more => format!("Countersign: {more} calls wait for you"),
    }
}

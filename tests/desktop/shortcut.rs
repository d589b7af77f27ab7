//! The keys that bring the waiting calls to the front, pressed as on a keyboard.

use std::time::Duration;

use countersign_tests::{App, Session};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::journey::first_run;
use crate::screen::Screen;
use crate::tray::{Icon, icon, panel};

/// F8 and F9 (X11's `keysymdef.h`).
const F8: u32 = 0xFFC5;
const F9: u32 = 0xFFC6;

async fn press(session: &Session, keys: &str) {
    let pressed = session.command("xdotool").args(["key", keys]).status().await.unwrap();
    assert!(pressed.success());
}

async fn at(app: &App, place: &str) {
    app.until(&format!("the window is at {place}"), async || {
        let found = app.script("return location.hash", vec![]).await;
        found.as_str()?.ends_with(place).then_some(())
    })
    .await;
}

async fn set(app: &App, keys: Value) -> Result<Value, Value> {
    app.invoke("shortcut_set", json!({ "keys": keys })).await
}

#[tokio::test]
async fn the_keys_that_a_person_chose_bring_the_waiting_calls_forward_from_anywhere() {
    let session = Session::start(1280, 800).await;
    let (bus, mut asks) = panel(&session).await;
    let home = session.path("registry");
    let app = App::start(&session, &home, &["--listen", "127.0.0.1:0"]).await;
    let _icon = icon(bus, &mut asks).await;
    first_run(&app).await;
    app.turn_to("main").await;
    let screen = Screen::of(&session);
    let nothing = json!({ "keys": null, "problem": null, "impossible": null });
    assert_eq!(app.invoke("shortcut_show", json!({})).await.unwrap(), nothing);

    // What another program holds is not to be had, and what people type with is not taken.
    assert!(screen.take(F8));
    let refused = set(&app, json!("Ctrl+Shift+F8")).await.unwrap_err();
    assert_eq!(refused["code"], "conflict");
    assert!(refused["message"].as_str().unwrap().contains("held by another program"), "{refused}");
    assert_eq!(set(&app, json!("Shift+A")).await.unwrap_err()["code"], "invalid");
    assert_eq!(app.invoke("shortcut_show", json!({})).await.unwrap(), nothing);

    let mine = set(&app, json!("Ctrl+Shift+F9")).await.unwrap();
    assert_eq!(mine["keys"], "Ctrl+Shift+F9");
    assert!(!screen.take(F9), "nobody else hears them");
    for elsewhere in ["#/settings", "#/nowhere"] {
        app.script("location.hash = arguments[0]", vec![json!(elsewhere)]).await;
        at(&app, elsewhere).await;
        press(&session, "ctrl+shift+F9").await;
        at(&app, "/approvals").await;
    }

    // Also while there is no window.
    let window = app.until("the window is shown", async || screen.console()).await;
    screen.close(window);
    app.until("the window is gone", async || screen.console().is_none().then_some(())).await;
    press(&session, "ctrl+shift+F9").await;
    app.until("the window is back", async || screen.console()).await;
    app.turn_to("main").await;
    at(&app, "/approvals").await;

    set(&app, Value::Null).await.unwrap();
    app.until("they are anybody's again", async || screen.take(F9).then_some(())).await;
    app.close().await;
}

#[tokio::test]
async fn the_keys_of_a_console_are_held_again_after_a_restart() {
    let session = Session::start(1280, 800).await;
    let (bus, mut asks) = panel(&session).await;
    let (home, screen) = (session.path("registry"), Screen::of(&session));
    let mut start = async || {
        let app = App::start(&session, &home, &["--listen", "127.0.0.1:0"]).await;
        app.turn_to("main").await;
        (app, icon(bus.clone(), &mut asks).await)
    };
    let (app, tray) = start().await;
    set(&app, json!("Ctrl+Shift+F9")).await.unwrap();
    leave(app, &tray, &screen).await;
    screen.give_back(F9);

    let (app, tray) = start().await;
    let kept = app.invoke("shortcut_show", json!({})).await.unwrap();
    assert_eq!((&kept["keys"], &kept["problem"]), (&json!("Ctrl+Shift+F9"), &Value::Null));
    assert!(!screen.take(F9));
    leave(app, &tray, &screen).await;

    // Now somebody else has taken them: the console says so, and starts all the same.
    let (app, _tray) = start().await;
    let kept = app.invoke("shortcut_show", json!({})).await.unwrap();
    assert_eq!(kept["keys"], "Ctrl+Shift+F9");
    assert!(kept["problem"].as_str().unwrap().contains("held by another program"), "{kept}");
    app.close().await;
}

/// Ends the app, and takes its keys as soon as they are anybody's.
async fn leave(app: App, tray: &Icon, screen: &Screen) {
    tray.choose("Quit").await;
    let gone = async {
        while !screen.take(F9) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(60), gone).await.unwrap();
    app.close().await;
}

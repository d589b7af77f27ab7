//! What the window lets a script in it do, and what it does not. Each attempt is made from within
//! the page, as injected code would make it.

use std::process::Stdio;
use std::time::Duration;

use countersign_tests::programs::built;
use countersign_tests::{App, Session};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;

async fn app() -> (Session, App) {
    let session = Session::start(1280, 800).await;
    let app = App::start(&session, &session.path("registry"), &["--listen", "127.0.0.1:0"]).await;
    app.turn_to("main").await;
    (session, app)
}

#[tokio::test]
async fn d01_a_script_or_style_that_the_app_did_not_bring_along_is_inert() {
    let (_session, app) = app().await;
    let script = "
        const done = arguments[arguments.length - 1];
        const refused = [];
        document.addEventListener('securitypolicyviolation',
            (it) => refused.push(it.effectiveDirective));
        const add = (name, set) => {
            const element = document.createElement(name);
            document.body.append(element);
            set(element);
        };
        add('script', (it) => { it.textContent = 'window.injected = true' });
        add('script', (it) => { it.src = 'https://evil.example/x.js' });
        add('style', (it) => { it.textContent = 'body { background: red }' });
        add('img', (it) => { it.src = 'https://evil.example/x.png' });
        add('iframe', (it) => { it.src = 'https://evil.example/' });
        add('form', (it) => { it.action = 'https://evil.example/'; it.submit() });
        document.body.insertAdjacentHTML('beforeend', '<b onclick=\"window.clicked = true\">x</b>');
        document.body.lastElementChild.click();
        fetch('https://evil.example/').catch(() => undefined);
        fetch('http://127.0.0.1:1/').catch(() => undefined);
        let evaluated = false;
        try { evaluated = (0, eval)('true') } catch { }
        setTimeout(() => done({
            refused: [...new Set(refused)].sort(),
            ran: [window.injected, window.clicked, evaluated].filter(Boolean).length,
        }), 500)";
    let found = app.client().execute_async(script, vec![]).await.unwrap();
    assert_eq!(
        found,
        json!({
            "refused": [
                "connect-src", "form-action", "frame-src", "img-src", "script-src",
                "script-src-attr", "script-src-elem", "style-src-elem",
            ],
            "ran": 0,
        })
    );
    app.close().await;
}

#[tokio::test]
async fn d02_the_window_goes_nowhere_else_and_opens_no_other() {
    let (_session, app) = app().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", elsewhere.local_addr().unwrap());
    let before = app.client().windows().await.unwrap().len();
    for script in [
        "const link = document.createElement('a'); link.href = arguments[0]; link.click()",
        "window.open(arguments[0])",
        "const ahead = document.createElement('link'); ahead.rel = 'preconnect'; \
         ahead.href = arguments[0]; document.head.append(ahead)",
        "location.href = arguments[0]",
        "location.href = 'data:text/html,elsewhere'",
        "location.href = 'file:///etc/passwd'",
    ] {
        app.script(script, vec![json!(address)]).await;
        let place = app.script("return location.href", vec![]).await;
        assert!(place.as_str().unwrap().starts_with("tauri://localhost"), "{script}: {place}");
    }
    let visit = timeout(Duration::from_secs(1), elsewhere.accept()).await;
    assert!(visit.is_err(), "the window called on another place");
    assert_eq!(app.client().windows().await.unwrap().len(), before);
    app.close().await;
}

#[tokio::test]
async fn d03_d05_a_script_in_the_console_can_neither_decide_nor_reach_the_system() {
    let (_session, app) = app().await;
    assert_eq!(app.script("return typeof window.__TAURI__", vec![]).await, json!("undefined"));
    for command in [
        "approval_approve",
        "approval_deny",
        "plugin:notification|notify",
        "plugin:window|create",
        "plugin:webview|create_webview_window",
        "plugin:event|emit",
        "plugin:path|resolve_directory",
        "plugin:fs|read_file",
        "plugin:shell|execute",
        "plugin:shell|open",
        "plugin:opener|open_url",
        "plugin:opener|open_path",
        "plugin:http|fetch",
        "plugin:updater|check",
        "plugin:dialog|open",
        "plugin:process|exit",
        "plugin:deep-link|register",
        "no_such_command",
    ] {
        let refused = app.invoke(command, json!({})).await.unwrap_err();
        let Value::String(refused) = refused else { panic!("{command} was reached: {refused}") };
        assert!(
            refused.contains("not allowed") || refused.contains("not found"),
            "{command}: {refused}"
        );
    }
    // Nor is there another way to a file.
    let load = "const done = arguments[arguments.length - 1]; \
        fetch(arguments[0]).then((it) => it.text()).then(done, () => done(null))";
    for file in [
        "asset://localhost/..%2f..%2f..%2fetc%2fpasswd",
        "asset://localhost/%2Fetc%2Fpasswd",
        "tauri://localhost/..%2f..%2f..%2fetc%2fpasswd",
        "file:///etc/passwd",
    ] {
        let read = app.client().execute_async(load, vec![json!(file)]).await.unwrap();
        assert!(!read.as_str().unwrap_or_default().contains("root:"), "{file}: {read}");
    }
    app.close().await;
}

#[tokio::test]
async fn d12_a_script_cannot_change_what_all_objects_inherit() {
    let (_session, app) = app().await;
    let script = "try { Object.prototype.polluted = true } catch { } return {}.polluted ?? null";
    assert_eq!(app.script(script, vec![]).await, Value::Null);
    app.close().await;
}

#[tokio::test]
async fn a_second_start_on_the_same_home_hands_over_and_ends() {
    let (session, app) = app().await;
    let mut second = session
        .command(built("countersign-desktop"))
        .arg("--home")
        .arg(session.path("registry"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ended = timeout(Duration::from_secs(20), second.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
    assert_eq!(app.client().windows().await.unwrap().len(), 1);
    app.close().await;
}

#[tokio::test]
async fn consoles_of_different_homes_stand_side_by_side() {
    let (session, app) = app().await;
    let other = App::start(&session, &session.path("other"), &["--listen", "127.0.0.1:0"]).await;
    other.turn_to("main").await;
    app.turn_to("main").await;
    other.close().await;
    app.close().await;
}

#[tokio::test]
async fn d06_a_link_or_an_argument_that_is_not_known_does_nothing() {
    let (session, app) = app().await;
    let before = app.script("return location.href", vec![]).await;
    let huge = format!("countersign://{}", "x".repeat(100_000));
    let words = [
        "countersign://approve?id=1&yes=1",
        "COUNTERSIGN://import?url=http://127.0.0.1:9/",
        "--config=evil",
        "--home=/elsewhere",
        &huge,
    ];
    for word in words {
        let mut second = session.command(built("countersign-desktop"));
        second.arg("--home").arg(session.path("registry")).arg(word);
        let run = timeout(Duration::from_secs(20), second.output()).await.unwrap().unwrap();
        assert_eq!(run.status.code(), Some(2), "{word}");
        assert!(String::from_utf8(run.stderr).unwrap().contains("Usage:"), "{word}");
    }
    // Any program of this user can say on the bus that it is a second start.
    let bus = session.connect().await;
    let names = zbus::fdo::DBusProxy::new(&bus).await.unwrap().list_names().await.unwrap();
    let name = names.iter().find(|it| it.contains("dev.countersign.console.")).unwrap();
    let path = format!("/{}", name.as_str().replace('.', "/"));
    for word in words {
        let said = (vec!["countersign-desktop", word], "/");
        let (interface, method) = (Some("org.SingleInstance.DBus"), "ExecuteCallback");
        bus.call_method(Some(name.as_str()), path.as_str(), interface, method, &said)
            .await
            .unwrap();
    }
    assert_eq!(app.script("return location.href", vec![]).await, before);
    assert_eq!(app.client().windows().await.unwrap().len(), 1);
    let status = app.invoke("status", json!({})).await.unwrap();
    assert_eq!(status["phase"], "first_run", "{status}");
    app.close().await;
}

//! What must agree: the list of commands, their handlers, the capabilities, cs-control's table,
//! and the content security policy.

use std::collections::BTreeSet;
use std::path::Path;

use cs_control::{Control, Options};
use serde_json::{Value, json};
use tauri::http::HeaderMap;
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{App, Manager, WebviewUrl, WebviewWindowBuilder};

use crate::commands;
use crate::commands_list::COMMANDS;
use crate::desk::Desk;

/// The commands that cs-control does not have.
const OWN: &[&str] = &["console_join", "open_approval_window", "shortcut_set", "shortcut_show"];
/// What deciding takes. Only the approval window has it.
const DECIDING: &[&str] =
    &["approval_approve", "approval_deny", "approval_deny_all", "approval_issue", "series_sign"];

fn config() -> Value {
    serde_json::from_str(include_str!("../tauri.conf.json")).unwrap()
}

/// The commands that a capability grants, after checking what else it may have.
fn granted(capability: &str) -> BTreeSet<String> {
    let capability: Value = serde_json::from_str(capability).unwrap();
    assert_eq!(capability["local"], json!(true));
    assert_eq!(capability.get("remote"), None);
    let permissions = capability["permissions"].as_array().unwrap();
    let mut commands = BTreeSet::new();
    for permission in permissions.iter().map(|it| it.as_str().unwrap()) {
        match permission {
            "core:event:allow-listen" | "core:event:allow-unlisten" => {}
            other => {
                let command = other.strip_prefix("allow-").unwrap().replace('-', "_");
                assert!(commands.insert(command), "{other} stands twice");
            }
        }
    }
    commands
}

fn main_window() -> BTreeSet<String> {
    granted(include_str!("../capabilities/main.json"))
}

fn approval_window() -> BTreeSet<String> {
    granted(include_str!("../capabilities/approval.json"))
}

fn names<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> BTreeSet<String> {
    names.into_iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn d03_every_command_has_a_permission_a_handler_and_a_window() {
    let listed = names(COMMANDS);
    assert_eq!(listed.len(), COMMANDS.len(), "a command stands twice");
    assert_eq!(names(commands::OF_CONTROL.iter().chain(OWN)), listed);
    assert_eq!(main_window().union(&approval_window()).cloned().collect::<BTreeSet<_>>(), listed);
}

#[test]
fn d03_every_command_is_one_of_cs_control_but_for_those_of_the_desktop() {
    let table: BTreeSet<_> = cs_control::TABLE.iter().map(|it| it.name.to_owned()).collect();
    assert_eq!(names(commands::OF_CONTROL), table);
}

#[test]
fn d03_the_console_has_everything_but_deciding_and_the_approval_window_little_else() {
    let all_but_deciding: BTreeSet<_> =
        names(COMMANDS).difference(&names(DECIDING)).cloned().collect();
    assert_eq!(main_window(), all_but_deciding);
    let looking = ["approval_list", "approval_show", "lock", "status", "touch", "unlock"];
    let stopping = ["agent_pause"];
    assert_eq!(approval_window(), names(DECIDING.iter().chain(&looking).chain(&stopping)));
}

#[test]
fn d03_each_capability_is_for_one_window() {
    for (name, text) in [
        ("main", include_str!("../capabilities/main.json")),
        ("approval", include_str!("../capabilities/approval.json")),
    ] {
        let capability: Value = serde_json::from_str(text).unwrap();
        assert_eq!(capability["identifier"], json!(name));
        assert_eq!(capability["windows"], json!([name]));
        assert_eq!(capability.get("webviews"), None);
    }
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/capabilities")).unwrap();
    assert_eq!(files.count(), 2);
    assert_eq!(config()["app"]["security"]["capabilities"], json!(["main", "approval"]));
}

#[test]
fn d01_the_content_security_policy_lets_in_only_what_the_app_brings_along() {
    assert_eq!(
        config()["app"]["security"]["csp"],
        json!({
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "font-src": "'self'",
            "connect-src": "ipc: http://ipc.localhost",
            "frame-src": "'none'",
            "object-src": "'none'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        })
    );
}

#[test]
fn d12_the_web_view_is_given_nothing_that_it_does_not_need() {
    let config = config();
    assert_eq!(config["app"]["withGlobalTauri"], json!(false));
    let security = &config["app"]["security"];
    assert_eq!(security["freezePrototype"], json!(true));
    assert_eq!(security["dangerousDisableAssetCspModification"], json!(false));
    assert_eq!(security["assetProtocol"]["enable"], json!(false));
    assert_eq!(config["build"].get("devUrl"), None);
    assert_eq!(config["app"]["windows"], json!([]));
}

/// What would let a page or a link reach the system is not even linked.
#[test]
fn d05_d06_no_plugin_reaches_files_programs_the_network_or_links() {
    let manifest = include_str!("../Cargo.toml");
    let plugins: Vec<_> =
        manifest.lines().filter_map(|it| it.strip_prefix("tauri-plugin-")).collect();
    let name = |line: &&str| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned();
    assert_eq!(
        plugins.iter().map(name).collect::<Vec<_>>(),
        ["global-shortcut", "notification", "single-instance"]
    );
    assert_eq!(config()["plugins"], Value::Null);
    assert_eq!(config()["bundle"].get("fileAssociations"), None);
    for capability in [main_window(), approval_window()] {
        assert!(capability.iter().all(|it| !it.contains(':')), "{capability:?}");
    }
}

/// The app as it is, but for its windows, on a home of its own.
fn app(home: &Path) -> App<MockRuntime> {
    let control = Control::open(home, Options::new("a test", "countersign-desktop".into()));
    let control = tauri::async_runtime::block_on(control).unwrap();
    mock_builder()
        .invoke_handler(commands::handler())
        .manage(tauri::async_runtime::block_on(Desk::open(control)))
        .build(crate::open::context())
        .unwrap()
}

fn invoke(app: &App<MockRuntime>, window: &str, command: &str, body: Value) -> Result<(), Value> {
    let window = app.get_webview_window(window).unwrap_or_else(|| {
        WebviewWindowBuilder::new(app, window, WebviewUrl::default()).build().unwrap()
    });
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: "tauri://localhost".parse().unwrap(),
        body: InvokeBody::Json(body),
        headers: HeaderMap::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(&window, request).map(drop)
}

/// Whether an invocation came to an end before it reached its command.
fn is_kept_out(answer: &Result<(), Value>) -> bool {
    matches!(answer, Err(Value::String(text)) if text.contains("not allowed"))
}

#[test]
fn d03_a_window_reaches_exactly_the_commands_of_its_capability() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path());
    let windows =
        [("main", main_window()), ("approval", approval_window()), ("other", BTreeSet::new())];
    for (window, commands) in windows {
        for command in COMMANDS {
            let answer = invoke(&app, window, command, json!({}));
            let allowed = commands.contains(*command);
            assert_eq!(!is_kept_out(&answer), allowed, "{command} from {window}: {answer:?}");
        }
    }
}

#[test]
fn d04_arguments_are_an_object_of_exactly_the_known_fields() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path());
    assert_eq!(invoke(&app, "main", "status", json!({})), Ok(()));
    for arguments in [json!([]), json!("status"), json!(1), json!({"role": "owner"})] {
        let refused = invoke(&app, "main", "status", arguments.clone()).unwrap_err();
        assert_eq!(refused["code"], json!("invalid"), "{arguments}");
    }
}

#[test]
fn a_failure_reaches_the_window_with_its_code_and_correlation() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path());
    let failure = invoke(&app, "main", "tenant_list", json!({})).unwrap_err();
    assert_eq!(failure["code"], json!("locked"));
    assert!(failure["correlation"].as_str().unwrap().starts_with("cor_"), "{failure}");
}

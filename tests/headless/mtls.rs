//! Agents on real SDKs that prove themselves by their certificate alone.

use serde_json::{Value, json};

use crate::certificates::Scene;
use crate::place::run;
use crate::{call, text};

/// What an agent on an SDK is told that shall prove itself by this certificate.
fn by_certificate(scene: &Scene, name: Option<&str>, mode: &str) -> Value {
    let note = json!({"path": "log.txt", "content": "signed for\n", "append": true});
    let mut plan = json!({
        "url": scene.place.endpoint(),
        "mode": mode,
        "timeout_ms": 60_000,
        "ca": scene.path("countersign.pem"),
        "calls": [
            {"name": "read_file", "arguments": {"path": "notes/welcome.md"}},
            {"name": "access_secrets", "arguments": {"name": "x"}},
            {"name": "write_file", "arguments": note},
        ],
    });
    if let Some(name) = name {
        plan["cert"] = json!(scene.path(&format!("{name}.pem")));
        plan["key"] = json!(scene.path(&format!("{name}.key")));
    }
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_real_clients_are_let_in_by_their_certificate_alone() {
    let scene = Scene::new().await;
    let clients =
        [("agent-mtls.mjs", "legacy"), ("agent-mtls.mjs", "2026-07-28"), ("agent.py", "auto")];
    for (script, mode) in clients {
        let bare = run(script, by_certificate(&scene, None, mode)).await;
        assert!(bare.iter().all(|line| line.get("listed").is_none()), "{script} {mode}: {bare:?}");
        let agent = run(script, by_certificate(&scene, Some("executor-1"), mode));
        let (report, ()) = tokio::join!(agent, scene.place.approve("write_file"));
        let said = text(call(&report, "read_file"));
        assert!(said.contains("Welcome"), "{script} {mode}: {report:?}");
        let refused = text(call(&report, "access_secrets"));
        assert!(
            refused.contains("is not in this session's allowlist"),
            "{script} {mode}: {refused}"
        );
        let written = text(call(&report, "write_file"));
        assert!(!written.contains("isError\":true"), "{script} {mode}: {written}");
    }
    assert_eq!(scene.place.file("log.txt").lines().count(), clients.len());
    scene.revoke().await;
    let report = run("agent.py", by_certificate(&scene, Some("executor-1"), "auto")).await;
    assert!(report.iter().all(|line| line.get("listed").is_none()), "{report:?}");
}

//! Alerts, by real traffic through the gateway.

use std::time::Duration;

use cs_model::Timestamp;
use cs_model::event::{Decision, Event, EventKind};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::place::{Place, somebody};
use super::providers::{ISSUER, provider};
use super::traffic::{Caller, LOCAL, with_token};
use crate::{alerts, lifecycle};

const DAY: Duration = Duration::from_secs(86_400);

impl Place {
    /// The rules that have raised alerts, the first raised first, with how often each happened.
    async fn raised(&self) -> Vec<(String, u64)> {
        alerts::evaluate(&self.control.core().unwrap()).await.unwrap();
        let mut all = self.alerts().await;
        all.sort_by_key(|it| it["first"].as_str().unwrap().to_owned());
        let of =
            |it: &Value| (it["rule"].as_str().unwrap().to_owned(), it["count"].as_u64().unwrap());
        all.iter().map(of).collect()
    }

    async fn alerts(&self) -> Vec<Value> {
        self.ask_as(LOCAL, "alert_list", json!({})).await.as_array().unwrap().clone()
    }

    async fn look(&self) {
        alerts::look(&self.control.core().unwrap(), true).await.unwrap();
    }

    async fn acme(&self) -> Value {
        self.ask_as(LOCAL, "tenant_list", json!({})).await[0]["id"].clone()
    }

    async fn rule_set(&self, rule: &str, change: Value) -> Value {
        let mut args = json!({ "tenant": self.acme().await, "rule": rule });
        args.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        self.ask_as(LOCAL, "alert_rule_set", args).await
    }
}

fn some(all: &[(&str, u64)]) -> Vec<(String, u64)> {
    all.iter().map(|(rule, count)| ((*rule).to_owned(), *count)).collect()
}

#[tokio::test]
async fn al1_the_fourth_failure_of_one_identity_within_a_minute_alerts_and_the_third_does_not() {
    let place = Place::with_starter().await;
    let wrong = Caller::new(&place, "reader-1").await.mistaken();
    for _ in 0..3 {
        assert_eq!(wrong.call(&place, "read_file").await.0, 401);
    }
    place.clock.advance(Duration::from_millis(60_001));
    for _ in 0..3 {
        assert_eq!(wrong.call(&place, "read_file").await.0, 401);
    }
    assert_eq!(place.raised().await, []);
    let other = Caller::new(&place, "analyst-1").await.mistaken();
    assert_eq!(other.call(&place, "read_file").await.0, 401);
    assert_eq!(place.raised().await, [], "another identity");
    place.clock.advance(Duration::from_secs(60));
    assert_eq!(wrong.call(&place, "read_file").await.0, 401);
    assert_eq!(place.raised().await, some(&[("authn_failures", 4)]));
    let alert = place.alerts().await[0].clone();
    assert_eq!((&alert["class"], &alert["severity"]), (&json!("AL1"), &json!("alert")));
    assert_eq!((&alert["agent_name"], &alert["tenant_name"]), (&json!("reader-1"), &json!("acme")));
    let shown = place.ask_as(LOCAL, "alert_show", json!({ "alert": alert["id"] })).await;
    let kinds: Vec<_> = shown["events"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["authn.failed"; 4]);
    assert_eq!(shown["events"][3]["correlation"], alert["correlation"]);
    wrong.call(&place, "read_file").await;
    assert_eq!(place.raised().await, some(&[("authn_failures", 5)]), "counted on the open one");
    let told = place.log(&["alert.raised"]).await;
    assert_eq!((told.len(), &told[0]["reason"]), (1, &json!("authn_failures")));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn al2_any_attempt_outside_the_allowlist_alerts_and_a_call_inside_it_does_not() {
    let place = Place::with_starter().await;
    let reader = Caller::new(&place, "reader-1").await;
    let (status, answer) = reader.call(&place, "read_file").await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(place.raised().await, []);
    let (_, answer) = reader.call(&place, "access_secrets").await;
    assert!(answer.contains("is not in this session's allowlist"), "{answer}");
    assert_eq!(place.raised().await, some(&[("outside_allowlist", 1)]));
    let alert = &place.alerts().await[0];
    let said = "reader-1 tried to call access_secrets, which its session does not have";
    assert_eq!((&alert["sentence"], &alert["class"]), (&json!(said), &json!("AL2")));
    let overview = json!({ "tenant": place.acme().await });
    assert_eq!(place.ask_as(LOCAL, "overview", overview).await["alerts"][0], *alert);
    let status = place.ask_as(LOCAL, "status", json!({})).await;
    assert_eq!((&status["open_alerts"], &status["open_incidents"]), (&json!(1), &json!(0)));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn al2_the_fifth_attempt_in_one_session_is_an_incident_and_the_fourth_is_not() {
    let place = Place::with_starter().await;
    let reader = Caller::new(&place, "reader-1").await;
    for _ in 0..4 {
        reader.call(&place, "send_email").await;
    }
    assert_eq!(place.raised().await, some(&[("outside_allowlist", 4)]));
    reader.call(&place, "delete_everything").await;
    let raised = place.raised().await;
    assert!(raised.contains(&("incident".to_owned(), 5)), "{raised:?}");
    let all = place.alerts().await;
    let incident = all.iter().find(|it| it["rule"] == "incident").unwrap();
    assert_eq!(
        (&incident["severity"], &incident["contained"]),
        (&json!("incident"), &json!(false))
    );
    let shown = place.ask_as(LOCAL, "alert_show", json!({ "alert": incident["id"] })).await;
    assert_eq!(shown["events"].as_array().unwrap().len(), 5);
    // Nothing is cut off unless the tenant wants it.
    assert_eq!(reader.call(&place, "read_file").await.0, 200);
    let args = json!({ "tenant": place.acme().await, "days": 7 });
    let metric = place.ask_as(LOCAL, "alert_metric", args).await;
    let agent = &metric["agents"][0];
    assert_eq!((&agent["agent_name"], &agent["attempts"]), (&json!("reader-1"), &json!(5)));
    assert_eq!((&agent["sessions"], metric["days"].as_array().unwrap().len()), (&json!(1), 7));
    assert_eq!(metric["days"][6]["attempts"], 5);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn al2_containment_ends_the_session_and_suspends_its_credential_until_it_is_released() {
    let place = Place::with_starter().await;
    place.rule_set("incident", json!({ "contain": true, "threshold": 2 })).await;
    let (reader, other) =
        (Caller::new(&place, "reader-1").await, Caller::new(&place, "analyst-1").await);
    for caller in [&reader, &other] {
        assert_eq!(caller.call(&place, "read_file").await.0, 200);
    }
    for _ in 0..2 {
        reader.call(&place, "access_secrets").await;
    }
    place.raised().await;
    assert_eq!(reader.call(&place, "read_file").await.0, 401);
    assert_eq!(other.call(&place, "read_file").await.0, 200, "nobody else is cut off");
    let tenant = place.acme().await;
    let all = place.alerts().await;
    let incident = all.iter().find(|it| it["rule"] == "incident").unwrap();
    assert_eq!(incident["contained"], true);
    let sessions = json!({ "tenant": tenant, "live_only": false });
    let sessions = place.ask_as(LOCAL, "session_list", sessions).await;
    let own = sessions.as_array().unwrap().iter().find(|it| it["id"] == incident["session"]);
    assert_eq!(own.unwrap()["state"], "operator");
    let log = place.log(&["admin.changed"]).await;
    let said = log[0]["summary"].as_str().unwrap();
    assert!(said.starts_with("Containment ended a session of `reader-1`"), "{said}");
    let release = json!({ "tenant": tenant, "credential": reader.credential });
    place.ask_as(LOCAL, "credential_release", release).await;
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(reader.call(&place, "read_file").await.0, 200);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn al1_a_credential_that_was_not_used_for_fifteen_days_alerts_once_and_a_used_one_never() {
    let place = Place::with_starter().await;
    let idle = Caller::new(&place, "reader-1").await;
    let busy = Caller::new(&place, "analyst-1").await;
    assert_eq!(busy.call(&place, "read_file").await.0, 200);
    // Sessions that go on are another rule's matter.
    place.rule_set("session_overlong", json!({ "threshold": 1000 })).await;
    place.clock.advance(15 * DAY - Duration::from_millis(1));
    place.look().await;
    assert!(place.alerts().await.iter().all(|it| it["rule"] != "credential_unused"));
    place.clock.advance(Duration::from_millis(1));
    place.look().await;
    place.look().await;
    let found = |all: Vec<Value>| {
        all.into_iter().filter(|it| it["rule"] == "credential_unused").collect::<Vec<_>>()
    };
    let unused = found(place.alerts().await);
    assert_eq!(unused.len(), 1);
    assert_eq!((&unused[0]["credential"], &unused[0]["count"]), (&idle.credential, &json!(1)));
    let note = json!({ "alert": unused[0]["id"], "note": "on leave" });
    place.ask_as(LOCAL, "alert_acknowledge", note).await;
    place.clock.advance(DAY);
    place.look().await;
    assert_eq!(found(place.alerts().await).len(), 1, "it is found once");
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn al2_a_session_that_is_longer_than_expected_alerts_and_one_that_is_as_long_does_not() {
    let place = Place::with_starter().await;
    let reader = Caller::new(&place, "reader-1").await;
    assert_eq!(reader.call(&place, "read_file").await.0, 200);
    place.clock.advance(Duration::from_secs(300));
    place.look().await;
    assert_eq!(place.raised().await, []);
    place.clock.advance(Duration::from_millis(1));
    place.look().await;
    place.look().await;
    assert_eq!(place.raised().await, some(&[("session_overlong", 1)]));
    // The end of the session tells of the same, which is known already.
    let session = place.alerts().await[0]["session"].clone();
    let end = json!({ "tenant": place.acme().await, "session": session });
    place.ask_as(LOCAL, "session_end", end).await;
    assert_eq!(place.raised().await, some(&[("session_overlong", 1)]));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn al2_a_session_that_ended_before_anybody_looked_alerts_by_its_end() {
    let place = Place::with_starter().await;
    let reader = Caller::new(&place, "reader-1").await;
    assert_eq!(reader.call(&place, "read_file").await.0, 200);
    let core = place.control.core().unwrap();
    let tenant = place.acme().await;
    let sessions = json!({ "tenant": tenant, "live_only": true });
    let session = place.ask_as(LOCAL, "session_list", sessions).await[0]["id"].clone();
    // Nobody can look while this is held.
    let held = core.watch.hold().await;
    place.clock.advance(Duration::from_secs(301));
    let end = json!({ "tenant": tenant, "session": session });
    place.ask_as(LOCAL, "session_end", end).await;
    drop(held);
    assert_eq!(place.raised().await, some(&[("session_overlong", 1)]));
    place.control.shutdown().await.unwrap();
}

/// A key of RFC 7515, A.3.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"one","alg":"ES256","use":"sig",
"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

/// A token of [`ISSUER`] that nobody signed:
/// `{"alg":"ES256","kid":"one","typ":"at+jwt"}`, `{"iss":"https://login.example/acme","sub":"robin"}`.
fn token() -> String {
    let header = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im9uZSIsInR5cCI6ImF0K2p3dCJ9";
    let claims = "eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUvYWNtZSIsInN1YiI6InJvYmluIn0";
    format!("{header}.{claims}.{}", "A".repeat(86))
}

#[tokio::test]
async fn al4_an_identity_provider_that_is_down_alerts_until_it_is_back() {
    let place = Place::with_starter().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let settings = json!({ "issuer": ISSUER, "jwks_uri": format!("http://{address}/keys"),
                           "private_network": true });
    provider(&place, "login", &settings).await;
    let gateway = place.control.start_gateway("127.0.0.1:0".parse().unwrap()).await.unwrap();
    assert_eq!(place.raised().await, []);
    with_token(gateway, &token()).await;
    let down = place.raised().await;
    assert_eq!(down, some(&[("provider_down", 1)]));
    let alert = place.alerts().await[0].clone();
    assert!(alert["sentence"].as_str().unwrap().starts_with("Identity provider login cannot"));
    assert_eq!((&alert["class"], &alert["over"]), (&json!("AL4"), &Value::Null));
    let back = tokio::net::TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = back.accept().await.unwrap();
            let mut asked = [0; 2048];
            let _ = stream.read(&mut asked).await.unwrap();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: \
                 {}\r\nconnection: close\r\n\r\n",
                KEYS.len()
            );
            stream.write_all(format!("{head}{KEYS}").as_bytes()).await.unwrap();
        }
    });
    place.clock.advance(Duration::from_secs(3600));
    for _ in 0..200 {
        with_token(gateway, &token()).await;
        place.raised().await;
        if place.alerts().await.iter().any(|it| it["over"] != Value::Null) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let all = place.alerts().await;
    let down: Vec<_> = all.iter().filter(|it| it["rule"] == "provider_down").collect();
    assert_eq!(down.len(), 1, "{all:?}");
    assert_ne!(down[0]["over"], Value::Null);
    assert!(all.iter().all(|it| it["title"] != "An identity provider changed its keys"));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn x01_a_tool_that_changed_since_it_was_accepted_alerts() {
    let place = Place::with_starter().await;
    let reader = Caller::new(&place, "reader-1").await;
    assert_eq!(reader.call(&place, "read_file").await.0, 200);
    assert_eq!(place.raised().await, []);
    let sample = std::fs::read_to_string(&place.options.executable).unwrap();
    let other = sample.replace("\"Does \"", "\"Gladly does \"");
    assert_ne!(sample, other);
    std::fs::write(&place.options.executable, other).unwrap();
    let tenant = place.acme().await;
    let server = place.ask_as(LOCAL, "server_list", json!({ "tenant": tenant })).await;
    let restart = json!({ "tenant": tenant, "server": server[0]["id"] });
    place.ask_as(LOCAL, "server_restart", restart).await;
    reader.call(&place, "read_file").await;
    assert_eq!(place.raised().await, some(&[("tool_drift", 1)]));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn f02_a_clock_that_is_set_back_alerts_and_one_that_goes_on_does_not() {
    let place = Place::with_starter().await;
    let inner = place.control.inner();
    lifecycle::tick(inner, false).await.unwrap();
    place.clock.advance(Duration::from_secs(60));
    lifecycle::tick(inner, false).await.unwrap();
    assert_eq!(place.raised().await, []);
    place.clock.back(Duration::from_secs(95));
    lifecycle::tick(inner, false).await.unwrap();
    assert_eq!(place.raised().await, some(&[("clock_moved", 1)]));
    let alert = &place.alerts().await[0];
    let said = "The clock of this machine was set back by 95 s";
    assert_eq!((&alert["sentence"], &alert["tenant"]), (&json!(said), &Value::Null));
    place.control.shutdown().await.unwrap();
    place.clock.back(Duration::from_secs(3600));
    let place = place.reopen().await;
    lifecycle::tick(place.control.inner(), false).await.unwrap();
    assert_eq!(place.raised().await, some(&[("clock_moved", 2)]), "held against the log");
}

#[tokio::test]
async fn a02_a_log_that_was_changed_is_an_incident_once_it_is_verified() {
    let place = Place::with_starter().await;
    place.ask("audit_verify", json!({})).await;
    assert_eq!(place.raised().await, []);
    place.control.shutdown().await.unwrap();
    let script = "import sqlite3, sys\nbase = sqlite3.connect(sys.argv[1])\n\
                  base.execute('DROP TRIGGER audit_event_unchanged')\n\
                  base.execute(\"UPDATE audit_event SET body = replace(body, 'Ada', 'Eve') WHERE \
                  seq = 1\")\nbase.commit()\n";
    let path = place.home.join("registry.db");
    let done = std::process::Command::new("python3").args(["-c", script]).arg(path).status();
    assert!(done.unwrap().success());
    let place = place.reopen().await;
    let chain = place.ask_as(LOCAL, "audit_verify", json!({})).await;
    assert_eq!(chain["whole"], false);
    assert_eq!(place.raised().await, some(&[("integrity_failed", 1)]));
    let alert = &place.alerts().await[0];
    assert_eq!((&alert["severity"], &alert["class"]), (&json!("incident"), &json!("AL4")));
    assert!(alert["sentence"].as_str().unwrap().starts_with("The audit log is broken"));
}

/// Attempts of a session that does not matter, as the gateway records them.
async fn strays(place: &Place, count: usize) {
    let core = place.control.core().unwrap();
    let tenant = place.acme().await.as_str().unwrap().parse().unwrap();
    let event = Event {
        tenant: Some(tenant),
        session: Some(cs_model::SessionId::from_random([7; 16])),
        tool_name: Some("access_secrets".to_owned()),
        decision: Some(Decision::Deny),
        reason: Some("not_granted".to_owned()),
        ..Event::new(EventKind::Decision, place.control.now())
    };
    core.registry.record(vec![event; count]).await.unwrap();
}

#[tokio::test]
async fn what_nobody_had_looked_at_when_the_process_ended_is_found_by_the_next_and_only_once() {
    let mut place = Place::with_starter().await;
    let mut all = 0;
    for round in 1..=3_u64 {
        let core = place.control.core().unwrap();
        let held = core.watch.hold().await;
        strays(&place, 3).await;
        all += 3;
        // The process ends before anybody could look.
        place.control.shutdown().await.unwrap();
        drop(held);
        drop(core);
        place = place.reopen().await;
        let raised = place.raised().await;
        assert!(raised.contains(&("outside_allowlist".to_owned(), all)), "{round}: {raised:?}");
        // What the engine remembers may be lost at any time: it is had again from the log.
        *place.control.core().unwrap().watch.hold().await = None;
        assert_eq!(place.raised().await, raised, "{round}");
    }
    assert!(place.raised().await.contains(&("incident".to_owned(), 9)));
    let log = place.log_as(LOCAL, &["alert.raised"]).await;
    let told: Vec<_> = log.iter().map(|it| it["reason"].as_str().unwrap()).collect();
    assert_eq!(told, ["incident", "outside_allowlist"]);
}

#[tokio::test]
async fn failures_before_a_restart_count_with_those_after_it() {
    let place = Place::with_starter().await;
    let wrong = Caller::new(&place, "reader-1").await.mistaken();
    for _ in 0..3 {
        wrong.call(&place, "read_file").await;
    }
    assert_eq!(place.raised().await, []);
    *place.control.core().unwrap().watch.hold().await = None;
    wrong.call(&place, "read_file").await;
    assert_eq!(place.raised().await, some(&[("authn_failures", 4)]));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_alert_is_there_soon_after_what_it_tells_of() {
    let place = Place::with_starter().await;
    let reader = Caller::new(&place, "reader-1").await;
    reader.call(&place, "access_secrets").await;
    // Nobody asks the rules to look: they look by themselves.
    for _ in 0..300 {
        if !place.alerts().await.is_empty() {
            place.control.shutdown().await.unwrap();
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody looked")
}

#[tokio::test]
async fn a_rule_is_set_within_its_range_on_record_and_counts_from_then_on() {
    let place = Place::with_starter().await;
    let tenant = place.acme().await;
    let rules = place.ask_as(LOCAL, "alert_rules", json!({ "tenant": tenant })).await;
    let rule = |name: &str| {
        rules.as_array().unwrap().iter().find(|it| it["rule"] == name).unwrap().clone()
    };
    let failures = rule("authn_failures");
    assert_eq!(
        (&failures["threshold"]["value"], &failures["window_secs"]["value"]),
        (&json!(3), &json!(60))
    );
    assert_eq!(rule("credential_unused")["threshold"]["value"], 15);
    assert_eq!(
        (&rule("incident")["threshold"]["value"], &rule("incident")["contain"]),
        (&json!(5), &json!(false))
    );
    assert_eq!(
        (&rule("clock_moved")["everywhere"], &rule("clock_moved")["contain"]),
        (&json!(true), &Value::Null)
    );
    let wrong = [
        ("authn_failures", json!({ "threshold": 0 }), "threshold"),
        ("authn_failures", json!({ "window_secs": 9 }), "window_secs"),
        ("authn_failures", json!({ "contain": true }), "contain"),
        ("outside_allowlist", json!({ "threshold": 5 }), "threshold"),
        ("session_overlong", json!({ "threshold": 99 }), "threshold"),
        ("incident", json!({ "threshold": 101 }), "threshold"),
        ("incident", json!({ "repeat_secs": 1 }), "repeat_secs"),
        ("incident", json!({}), "rule"),
        (
            "incident",
            json!({ "mute": { "until": later(&place, 31 * DAY), "reason": "x" } }),
            "mute.until",
        ),
        (
            "incident",
            json!({ "mute": { "until": later(&place, Duration::ZERO), "reason": "x" } }),
            "mute.until",
        ),
        (
            "incident",
            json!({ "mute": { "until": later(&place, DAY), "reason": " " } }),
            "mute.reason",
        ),
    ];
    for (rule, change, field) in wrong {
        let mut args = json!({ "tenant": tenant, "rule": rule });
        args.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = place.refused(LOCAL, "alert_rule_set", args).await;
        assert_eq!(
            (&refused["code"], &refused["field"]),
            (&json!("invalid"), &json!(field)),
            "{rule}"
        );
    }
    let refused = place.refused(
        somebody(cs_model::state::OperatorRole::Approver),
        "alert_rule_set",
        json!({ "tenant": tenant, "rule": "incident", "threshold": 9 }),
    );
    assert_eq!(refused.await["code"], "forbidden");
    strays(&place, 4).await;
    let set = place.rule_set("incident", json!({ "threshold": 3, "contain": true })).await;
    assert_eq!((&set["threshold"]["value"], &set["contain"]), (&json!(3), &json!(true)));
    assert_eq!(set["sentence"], "3 or more attempts outside the allowlist in one session");
    assert_eq!(place.raised().await, some(&[("outside_allowlist", 4)]), "as it was set then");
    strays(&place, 1).await;
    assert!(place.raised().await.contains(&("incident".to_owned(), 5)));
    let log = place.log(&["admin.changed"]).await;
    let said =
        log.iter().filter_map(|it| it["summary"].as_str()).find(|it| it.contains("threshold"));
    assert!(said.unwrap().ends_with("threshold 5 to 3, containment on"), "{log:?}");
    let place = place.reopen().await;
    let rules = place.ask_as(LOCAL, "alert_rules", json!({ "tenant": tenant })).await;
    let kept = rules.as_array().unwrap().iter().find(|it| it["rule"] == "incident").unwrap();
    assert_eq!(*kept, set);
}

fn later(place: &Place, span: Duration) -> Timestamp {
    place.control.now().after(span)
}

#[tokio::test]
async fn a_muted_rule_is_silent_until_its_mute_ends_or_is_ended() {
    let place = Place::with_starter().await;
    let until = later(&place, Duration::from_secs(600));
    let mute = json!({ "mute": { "until": until, "reason": "a test of ours" } });
    let set = place.rule_set("outside_allowlist", mute.clone()).await;
    assert_eq!(set["muted"]["reason"], "a test of ours");
    strays(&place, 1).await;
    assert_eq!(place.raised().await, []);
    let set = place.rule_set("outside_allowlist", json!({ "unmute": true })).await;
    assert_eq!(set["muted"], Value::Null);
    strays(&place, 1).await;
    assert_eq!(place.raised().await, some(&[("outside_allowlist", 1)]));
    place.rule_set("outside_allowlist", mute).await;
    place.clock.advance(Duration::from_secs(600));
    strays(&place, 1).await;
    assert_eq!(place.raised().await, some(&[("outside_allowlist", 2)]));
    let log = place.log_as(LOCAL, &["admin.changed"]).await;
    let said = log[0]["summary"].as_str().unwrap();
    assert!(said.contains("muted until") && said.ends_with("a test of ours"), "{said}");
}

#[tokio::test]
async fn an_alert_is_acknowledged_with_a_note_by_whoever_may_and_once() {
    let place = Place::with_starter().await;
    strays(&place, 1).await;
    place.raised().await;
    let alert = place.alerts().await[0]["id"].clone();
    let note = |note: &str| json!({ "alert": alert, "note": note });
    for empty in ["", "  ", &"x".repeat(501)] {
        let refused = place.refused(LOCAL, "alert_acknowledge", note(empty)).await;
        assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid"), &json!("note")));
    }
    for role in
        [cs_model::state::OperatorRole::Auditor, cs_model::state::OperatorRole::PolicyEditor]
    {
        let refused = place.refused(somebody(role), "alert_acknowledge", note("seen")).await;
        assert_eq!(refused["code"], "forbidden");
    }
    let seen = place.ask("alert_acknowledge", note("a \u{202e}drill")).await;
    assert_eq!((&seen["state"], &seen["acknowledged_by"]), (&json!("acknowledged"), &json!("Ada")));
    assert_eq!(seen["note"], "a \\u{202e}drill");
    let again = place.refused(LOCAL, "alert_acknowledge", note("again")).await;
    assert_eq!(again["code"], "conflict");
    let log = place.log(&["alert.acknowledged"]).await;
    assert_eq!((log.len(), &log[0]["who"]), (1, &json!("Ada")));
    assert_eq!(place.ask("alert_list", json!({ "state": "open" })).await, json!([]));
    assert_eq!(place.ask("status", json!({})).await["open_alerts"], 0);
    strays(&place, 1).await;
    assert_eq!(place.raised().await.len(), 2, "what happens again is a new alert");
}

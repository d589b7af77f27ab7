//! Calls that wait for a person, from the gateway's side and from the operator's.

use std::sync::Arc;
use std::time::Duration;

use cs_gateway::ports::{
    Meanwhile, NewApproval, Nonce, Ports, Redemption, Ruling, Spend, StoredSession,
};
use cs_model::event::{Decision, Event, EventKind};
use cs_model::state::OperatorRole;
use cs_model::{
    AgentId, ApprovalId, CredentialId, Digest, OperationTokenId, SessionId, TaskId, TenantId,
};
use cs_policy::Session;
use cs_registry::approval;
use serde_json::{Value, json};

use super::place::{PASSPHRASE, Place, somebody};
use super::providers::{provider, registration, settings};
use crate::actor::Actor;
use crate::adapters::ports;
use crate::lifecycle;

pub(super) struct Waiting {
    pub(super) place: Place,
    pub(super) ports: Ports,
    pub(super) request: NewApproval,
}

fn id<T: std::str::FromStr>(value: &Value) -> T
where
    T::Err: std::fmt::Debug,
{
    value.as_str().unwrap().parse().unwrap()
}

impl Waiting {
    /// An executor that wants to send mail.
    pub(super) async fn new() -> Self {
        let place = Place::with_starter().await;
        let core = place.control.core().unwrap();
        let ports = ports(&core);
        let tenant: TenantId = id(&place.tenant().await);
        let agent = place.agent("executor-1").await;
        let issue = json!({ "tenant": tenant, "agent": agent["id"], "kind": "api_key" });
        let key = place.ask("credential_issue", issue).await;
        Self::with(place, ports, &key["credential"]).await
    }

    /// The same, who comes with tokens of an identity provider.
    pub(super) async fn with_subject() -> Self {
        let place = Place::with_starter().await;
        let ports = ports(&place.control.core().unwrap());
        let login = provider(&place, "login", &settings()).await;
        let mut args = registration(&place, &login, "robin").await;
        args["agent"] = place.agent("executor-1").await["id"].clone();
        let made = place.ask("credential_register", args).await;
        Self::with(place, ports, &made["id"]).await
    }

    async fn with(place: Place, ports: Ports, credential: &Value) -> Self {
        let core = place.control.core().unwrap();
        let tenant: TenantId = id(&place.tenant().await);
        let agent = place.agent("executor-1").await;
        let task: TaskId = id(&agent["tasks"][0]["id"]);
        let (agent, credential): (AgentId, CredentialId) = (id(&agent["id"]), id(credential));
        let policy = Arc::clone(&core.world.borrow().policy);
        let allowlist = cs_policy::open(&policy, tenant, agent, Some(task)).unwrap();
        let entry = allowlist.get(cs_model::Kind::Tool, "send_email").unwrap().clone();
        let now = place.control.now();
        let session = StoredSession {
            session: Session {
                id: SessionId::from_random([3; 16]),
                tenant,
                agent,
                task: Some(task),
                ends: now.after(Duration::from_secs(3600)),
                ended: false,
                allowlist,
            },
            credential,
            opened: now,
            policy_version: policy.version(),
            wire_id: None,
            calls: 0,
            anomalies: 0,
        };
        ports.sessions.opened(&session, Vec::new()).await.unwrap();
        let arguments = r#"{"to":"ada@example.com"}"#.to_owned();
        let request = NewApproval {
            id: ApprovalId::from_random([4; 16]),
            operation: Digest::of(b"operation"),
            tenant,
            agent,
            credential,
            session: session.session.id,
            task,
            server: entry.server,
            tool: entry.tool,
            listed: "send_email".to_owned(),
            fingerprint: entry.fingerprint,
            arguments_digest: Digest::of(arguments.as_bytes()),
            arguments,
            policy_version: policy.version(),
            requested: now,
            decide_by: now.after(Duration::from_secs(900)),
            most_waiting: 10,
        };
        ports.desk.file(request.clone(), Vec::new()).await.unwrap();
        Self { place, ports, request }
    }

    pub(super) fn of(&self) -> Value {
        json!({ "tenant": self.request.tenant, "approval": self.request.id })
    }

    pub(super) fn approve(&self) -> Value {
        json!({ "tenant": self.request.tenant, "approval": self.request.id,
                "shown": self.request.arguments_digest })
    }

    pub(super) async fn ruling(&self) -> Ruling {
        self.ports.desk.ruling(self.request.tenant, self.request.id).await.unwrap()
    }
}

#[tokio::test]
async fn an_approved_call_gets_a_token_that_only_this_operator_can_have_signed() {
    let it = Waiting::new().await;
    let (tenant, id) = (it.request.tenant, it.request.id);
    let desk = Arc::clone(&it.ports.desk);
    let waiting =
        tokio::spawn(async move { desk.decided(tenant, id, Meanwhile::Waits).await.unwrap() });
    while it.place.ask("approval_list", json!({})).await[0]["held"] == false {
        tokio::task::yield_now().await;
    }
    let view = it.place.ask("approval_approve", it.approve()).await;
    assert_eq!((&view["row"]["state"], &view["decided_by"]), (&json!("approved"), &json!("Ada")));
    let Ruling::Approved { tokens } = waiting.await.unwrap() else { panic!("not approved") };
    let [token] = tokens.as_slice() else { panic!("not one token") };
    let core = it.place.control.core().unwrap();
    let operators = Arc::clone(&core.world.borrow().operators);
    let key = |id| operators.get(&id).map(|it| it.public_key);
    let verified = cs_trust::operation::verify(token, key).unwrap();
    let claims = verified.claims();
    assert_eq!(claims.args, it.request.arguments_digest);
    assert_eq!((claims.tool, claims.sid), (it.request.tool, it.request.session));
    assert_eq!(claims.aud, lifecycle::audience(&core));
    assert_eq!(claims.exp - claims.iat, 120, "the call is held open");

    let now = it.place.control.now();
    let redemption = Redemption {
        token: claims.jti,
        others: Vec::new(),
        tenant,
        session: it.request.session,
        approval: Some(id),
        expires: cs_model::Timestamp::from_secs(claims.exp),
        at: now,
    };
    let spend = it.ports.ledger.redeem(redemption.clone(), Vec::new());
    assert_eq!(spend.await.unwrap(), Spend::Spent);
    assert_eq!(it.ports.ledger.redeem(redemption, Vec::new()).await.unwrap(), Spend::Refused);
    assert_eq!(it.ruling().await, Ruling::Executed);
    let again =
        it.place.refused(it.place.control.console(), "approval_approve", it.approve()).await;
    assert_eq!(again["code"], "conflict");
    let log = it.place.log(&["approval.approved"]).await;
    assert_eq!((log.len(), &log[0]["who"]), (1, &json!("Ada")));
    let week = it.place.ask("approval_week", json!({})).await;
    assert_eq!((&week["asked"], &week["approved"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn o11_other_arguments_than_those_that_were_shown_are_not_signed() {
    let it = Waiting::new().await;
    let mut args = it.approve();
    args["shown"] = json!(Digest::of(b"something else"));
    let refused = it.place.refused(it.place.control.console(), "approval_approve", args).await;
    assert_eq!(refused["code"], "stale");
    assert_eq!(it.ruling().await, Ruling::Pending);
}

/// Attacks O07: whoever can write to the registry can say that a call was approved, and has no
/// signature to put there.
#[tokio::test]
async fn o07_a_row_that_says_approved_is_worth_nothing_without_what_was_signed() {
    let it = Waiting::new().await;
    let core = it.place.control.core().unwrap();
    let Actor::Operator { id: by, .. } = it.place.control.console() else { panic!("locked") };
    let mut change = core.registry.begin().await.unwrap();
    let signed = approval::Signed {
        by,
        at: it.place.control.now(),
        token: OperationTokenId::from_random([8; 16]),
        expires: it.place.control.now().after(Duration::from_secs(120)),
        sealed: b"approved".to_vec(),
        reason: None,
        presence: false,
        breaks_glass: false,
    };
    let (tenant, id) = (it.request.tenant, it.request.id);
    approval::approve(&mut change, tenant, id, &signed).await.unwrap();
    change.commit(&[]).await.unwrap();
    let ruling = it.ports.desk.ruling(tenant, id).await;
    assert_eq!(ruling.unwrap_err().doing, "open a signed token");
}

/// Attacks O13: the token is shown to nobody, and stands nowhere in clear.
#[tokio::test]
async fn o13_a_token_is_neither_shown_nor_logged_nor_kept_in_clear() {
    let it = Waiting::new().await;
    let approved = it.place.ask("approval_approve", it.approve()).await;
    let Ruling::Approved { tokens } = it.ruling().await else { panic!("not approved") };
    let token = tokens.concat();
    let mut seen = vec![approved.to_string()];
    for (command, args) in [
        ("approval_show", it.of()),
        ("approval_list", json!({ "states": ["approved"] })),
        ("audit_page", json!({ "filter": {}, "limit": 200 })),
        ("audit_export", json!({ "after": 0, "limit": 500 })),
        ("export", json!({})),
        ("overview", json!({ "tenant": it.request.tenant })),
    ] {
        seen.push(it.place.ask(command, args).await.to_string());
    }
    for entry in std::fs::read_dir(&it.place.home).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            seen.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
        }
    }
    for part in token.split('.') {
        assert!(seen.iter().all(|it| !it.contains(part)), "{part}");
    }
}

/// Attacks O14: an id that is guessed right in the wrong tenant looks like one that is wrong.
#[tokio::test]
async fn o14_a_request_of_another_tenant_is_as_unknown_as_one_that_does_not_exist() {
    let it = Waiting::new().await;
    let other = it.place.ask("tenant_create", json!({ "name": "other" })).await["id"].clone();
    let unknown = ApprovalId::from_random([9; 16]);
    let owner = it.place.control.console();
    for command in ["approval_show", "approval_approve", "approval_deny"] {
        let mut answers = Vec::new();
        for (tenant, approval) in [
            (&json!(it.request.tenant), &json!(unknown)),
            (&other, &json!(it.request.id)),
            (&json!(TenantId::from_random([9; 16])), &json!(it.request.id)),
        ] {
            let mut args = json!({ "tenant": tenant, "approval": approval });
            match command {
                "approval_approve" => args["shown"] = json!(it.request.arguments_digest),
                "approval_deny" => args["reason"] = json!("no"),
                _ => {}
            }
            let mut refused = it.place.refused(owner, command, args).await;
            refused["correlation"] = Value::Null;
            answers.push(refused);
        }
        assert_eq!(answers[0]["code"], "not_found", "{command}");
        assert!(answers.iter().all(|it| *it == answers[0]), "{command}: {answers:?}");
    }
    assert_eq!(it.ruling().await, Ruling::Pending);
}

/// Attacks B02: what was over in the meantime is not brought back by a backup.
#[tokio::test]
async fn b02_accepting_an_older_copy_ends_every_session_that_it_brings_back() {
    let Waiting { place, ports, request } = Waiting::new().await;
    drop(ports);
    let local = Actor::Local { uid: None };
    let phrase = json!({ "passphrase": PASSPHRASE });
    let registry = place.home.join("registry.db");
    place.control.shutdown().await.unwrap();
    let copy = std::fs::read(&registry).unwrap();
    let place = place.reopen().await;
    place.ask_as(local, "unlock", phrase.clone()).await;
    place.ask("tenant_create", json!({ "name": "later" })).await;
    place.control.shutdown().await.unwrap();
    std::fs::write(&registry, copy).unwrap();
    let place = place.reopen().await;
    place.ask_as(local, "unlock", phrase).await;
    let live = json!({ "tenant": request.tenant, "live_only": true });
    assert_eq!(place.ask("session_list", live.clone()).await[0]["state"], "live");
    let bob = somebody(OperatorRole::PolicyEditor);
    let refused = place.refused(bob, "registry_accept", json!({})).await;
    assert_eq!(refused["code"], "forbidden");
    place.ask("registry_accept", json!({})).await;
    assert_eq!(place.ask("session_list", live).await, json!([]));
    let of = json!({ "tenant": request.tenant, "approval": request.id });
    assert_eq!(place.ask("approval_show", of).await["row"]["state"], "withdrawn");
}

/// Attacks F02: the clock runs ahead by ten years and is set right again, and Countersign is
/// started anew in between.
#[tokio::test]
async fn f02_a_clock_that_jumps_lets_nothing_in_twice_and_takes_nothing_away_for_good() {
    let Waiting { place, ports, request } = Waiting::new().await;
    let until = place.control.now().after(Duration::from_secs(180));
    let nonce = "nonce-of-the-test";
    let remember = async |ports: &Ports| {
        ports.nonces.remember(request.credential, nonce, until).await.unwrap()
    };
    assert_eq!(remember(&ports).await, Nonce::Fresh);
    let years = Duration::from_secs(10 * 365 * 86_400);
    place.clock.advance(years);
    lifecycle::tick(place.control.inner(), true).await.unwrap();
    assert_eq!(place.control.console(), Actor::Nobody, "nobody was there for ten years");
    let asked = ports.desk.ruling(request.tenant, request.id).await.unwrap();
    assert_eq!(asked, Ruling::Expired);
    drop(ports);
    let place = place.reopen().await;
    place.clock.back(years);
    let ports = self::ports(&place.control.core().unwrap());
    assert_eq!(remember(&ports).await, Nonce::Seen);
    assert_eq!(place.control.console(), Actor::Nobody);
    place.ask_as(Actor::Local { uid: None }, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    let keys = place.ask("credential_list", json!({ "tenant": request.tenant })).await;
    assert_eq!(keys[0]["state"], "active", "no key was lost to the wrong time");
    let asked = ports.desk.ruling(request.tenant, request.id).await.unwrap();
    assert_eq!(asked, Ruling::Expired, "what was refused stays refused");
    assert_eq!(place.ask("audit_verify", json!({})).await["whole"], true);
}

#[tokio::test]
async fn o12_a_locked_console_signs_nothing_and_the_local_user_needs_a_passphrase() {
    let it = Waiting::new().await;
    let owner = it.place.control.console();
    it.place.ask("lock", json!({})).await;
    // Somebody who still holds what the console said before it locked.
    for (actor, code) in [
        (owner, "locked"),
        (Actor::Nobody, "locked"),
        (somebody(OperatorRole::Owner), "locked"),
        (Actor::Local { uid: Some(0) }, "invalid"),
        (somebody(OperatorRole::PolicyEditor), "forbidden"),
    ] {
        let refused = it.place.refused(actor, "approval_approve", it.approve()).await;
        assert_eq!(refused["code"], code, "{actor:?}");
    }
    let local = Actor::Local { uid: Some(0) };
    let mut args = it.approve();
    args["passphrase"] = json!("not the passphrase");
    let refused = it.place.refused(local, "approval_approve", args.clone()).await;
    assert_eq!(refused["code"], "wrong_passphrase");
    assert_eq!(it.ruling().await, Ruling::Pending);
    args["passphrase"] = json!(PASSPHRASE);
    let view = it.place.ask_as(local, "approval_approve", args).await;
    assert_eq!(view["decided_by"], "Ada");
    assert_eq!(it.place.control.console(), Actor::Nobody, "the console stays locked");
}

#[tokio::test]
async fn an_auditors_passphrase_signs_nothing() {
    let it = Waiting::new().await;
    let bob = json!({ "name": "Bob", "role": "auditor", "passphrase": "another passphrase" });
    it.place.ask("operator_create", bob).await;
    let mut args = it.approve();
    args["passphrase"] = json!("another passphrase");
    let local = Actor::Local { uid: None };
    let refused = it.place.refused(local, "approval_approve", args).await;
    assert_eq!(refused["code"], "forbidden");
    assert_eq!(it.ruling().await, Ruling::Pending);
}

#[tokio::test]
async fn a_denial_has_a_reason_that_the_agent_is_told() {
    let it = Waiting::new().await;
    for reason in ["", "  ", &"x".repeat(501)] {
        let mut args = it.of();
        args["reason"] = json!(reason);
        let refused = it.place.refused(it.place.control.console(), "approval_deny", args).await;
        assert_eq!(refused["field"], "reason");
    }
    let mut args = it.of();
    args["reason"] = json!("Not to \u{202e}her.");
    let view = it.place.ask_as(Actor::Local { uid: None }, "approval_deny", args).await;
    assert_eq!(
        (&view["row"]["state"], &view["decided_by"]),
        (&json!("denied"), &json!("command line"))
    );
    let reason = "Not to \\u{202e}her.".to_owned();
    assert_eq!(it.ruling().await, Ruling::Denied { reason });
}

#[tokio::test]
async fn o18_a_call_that_nobody_decides_in_time_expires() {
    let it = Waiting::new().await;
    let (tenant, id) = (it.request.tenant, it.request.id);
    let desk = Arc::clone(&it.ports.desk);
    let waiting =
        tokio::spawn(async move { desk.decided(tenant, id, Meanwhile::Waits).await.unwrap() });
    it.place.clock.advance(Duration::from_secs(900));
    it.place.ask("unlock", json!({ "passphrase": PASSPHRASE })).await;
    let late = it.place.refused(it.place.control.console(), "approval_approve", it.approve()).await;
    assert_eq!(late["code"], "conflict");
    lifecycle::tick(it.place.control.inner(), false).await.unwrap();
    assert_eq!(waiting.await.unwrap(), Ruling::Expired);
    assert_eq!(it.place.log(&["approval.expired"]).await.len(), 1);
}

#[tokio::test]
async fn ending_a_session_takes_its_requests_back_and_suspends_its_key_until_released() {
    let it = Waiting::new().await;
    let tenant = it.request.tenant;
    let args = json!({ "tenant": tenant, "session": it.request.session });
    let live = json!({ "tenant": tenant, "live_only": true });
    assert_eq!(it.place.ask("session_list", live.clone()).await[0]["state"], "live");
    let ended = it.place.ask("session_end", args.clone()).await;
    assert_eq!(ended["state"], "operator");
    assert_eq!(it.place.ask("session_list", live).await, json!([]));
    assert_eq!(it.ruling().await, Ruling::Withdrawn);
    let again = it.place.refused(it.place.control.console(), "session_end", args).await;
    assert_eq!(again["code"], "conflict");
    let credential = json!({ "tenant": tenant, "credential": it.request.credential });
    let list = it.place.ask("credential_list", json!({ "tenant": tenant })).await;
    assert_eq!(list[0]["state"], "suspended");
    assert_eq!(it.place.ask("credential_release", credential).await["state"], "active");
    let kinds = ["session.ended", "approval.withdrawn"];
    assert_eq!(it.place.log(&kinds).await.len(), 2);
}

/// Attacks O10: a call whose session is gone leads to nothing, and the log says what became of it.
#[tokio::test]
async fn o10_removing_the_starter_ends_its_sessions_and_takes_their_requests_back_on_record() {
    let it = Waiting::new().await;
    let (tenant, id) = (it.request.tenant, it.request.id);
    let desk = Arc::clone(&it.ports.desk);
    let waiting =
        tokio::spawn(async move { desk.decided(tenant, id, Meanwhile::Waits).await.unwrap() });
    while it.place.ask("approval_list", json!({})).await[0]["held"] == false {
        tokio::task::yield_now().await;
    }
    it.place.ask("starter_remove", json!({})).await;
    assert_eq!(waiting.await.unwrap(), Ruling::Withdrawn);
    let log = it.place.log(&["approval.withdrawn", "session.ended", "policy.enforced"]).await;
    let told: Vec<_> = log.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    let before = "policy.enforced";
    assert_eq!(told, ["policy.enforced", "approval.withdrawn", "session.ended", before]);
    assert_eq!(log[1]["approval"], json!(id));
    assert_eq!(log[2]["session"], json!(it.request.session));
    assert_eq!(log[2]["reason"], "operator");
}

#[tokio::test]
async fn what_a_session_has_done_is_counted_across_a_restart() {
    let Waiting { place, ports, request } = Waiting::new().await;
    let judged = |decision, reason: Option<&str>| Event {
        tenant: Some(request.tenant),
        session: Some(request.session),
        decision: Some(decision),
        reason: reason.map(str::to_owned),
        ..Event::new(EventKind::Decision, place.control.now())
    };
    let allowed = judged(Decision::Allow, None);
    let strayed = judged(Decision::Deny, Some("not_granted"));
    ports.audit.record(vec![allowed.clone(), allowed, strayed]).await.unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    drop(ports);
    let place = place.reopen().await;
    place.control.start_gateway(listen).await.unwrap();
    let sessions = place.control.core().unwrap().gateway().unwrap().sessions();
    let counted: Vec<_> = sessions.iter().map(|it| (it.id, it.calls, it.anomalies)).collect();
    assert_eq!(counted, [(request.session, 3, 1)]);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn o15_a_denial_that_comes_with_a_passphrase_is_in_the_name_of_its_operator() {
    let it = Waiting::new().await;
    let local = Actor::Local { uid: None };
    let deny = |passphrase: &str| {
        let mut args = it.of();
        args["reason"] = json!("Not this one.");
        args["passphrase"] = json!(passphrase);
        args
    };
    let wrong = it.place.refused(local, "approval_deny", deny("not the passphrase")).await;
    assert_eq!(wrong["code"], "wrong_passphrase");
    let bob = json!({ "name": "Bob", "role": "auditor", "passphrase": "another passphrase" });
    it.place.ask("operator_create", bob).await;
    let refused = it.place.refused(local, "approval_deny", deny("another passphrase")).await;
    assert_eq!(refused["code"], "forbidden");
    assert_eq!(it.ruling().await, Ruling::Pending);
    let view = it.place.ask_as(local, "approval_deny", deny(PASSPHRASE)).await;
    assert_eq!((&view["row"]["state"], &view["decided_by"]), (&json!("denied"), &json!("Ada")));
    assert_eq!(it.place.log(&["approval.denied"]).await[0]["who"], "Ada");
}

#[tokio::test]
async fn removing_an_agent_ends_its_sessions() {
    let it = Waiting::new().await;
    let args = json!({ "tenant": it.request.tenant, "agent": it.request.agent });
    it.place.ask("agent_remove", args).await;
    assert_eq!(it.ruling().await, Ruling::Withdrawn);
    let all = json!({ "tenant": it.request.tenant, "live_only": false });
    assert_eq!(it.place.ask("session_list", all).await[0]["state"], "credential");
}

//! Authorities of others, own ones that follow one another, and issuing that is abused.

use std::time::Duration;

use cs_model::Timestamp;
use cs_trust::ca::{Authority, LeafKey};
use cs_trust::spiffe::SpiffeId;
use serde_json::{Value, json};

use super::place::Place;

const PREFIX: &str = "spiffe://partner.example/tenant/prod/";
const BUILD: &str = "spiffe://partner.example/tenant/prod/agent/build";

/// An authority of others.
struct Partner(Authority);

impl Partner {
    fn new(place: &Place) -> Self {
        Self(Authority::create("partner", place.options.clock.now(), [8; 16]).unwrap().0)
    }

    fn list(&self, number: u64, now: Timestamp) -> String {
        self.0.crl(&[], number, now, now.after(Duration::from_secs(3600))).unwrap()
    }

    fn leaf(&self, now: Timestamp) -> String {
        let id = SpiffeId::parse(BUILD).unwrap();
        let day = Duration::from_secs(86_400);
        let leaf = self.0.issue_agent(&id, LeafKey::Generate, [9; 16], now, day);
        leaf.unwrap().certificate_pem
    }
}

impl Place {
    async fn with_tenant(&self, more: Value) -> Value {
        let mut args = json!({ "tenant": self.tenant().await });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    }

    async fn add(&self, partner: &Partner, more: Value) -> Value {
        let mut args = self
            .with_tenant(json!({
                "name": "partner", "pem": partner.0.certificate_pem(), "prefix": PREFIX,
            }))
            .await;
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    }

    async fn not(&self, command: &str, args: Value) -> Value {
        self.refused(self.control.console(), command, args).await
    }

    async fn shown(&self) -> Value {
        self.ask("authority_show", self.with_tenant(json!({})).await).await
    }
}

#[tokio::test]
async fn m02_the_list_of_an_outside_authority_is_its_own_and_never_an_older_one() {
    let place = Place::with_starter().await;
    let (partner, other) = (Partner::new(&place), Partner::new(&place));
    let now = place.options.clock.now();
    let added = place.ask("authority_add", place.add(&partner, json!({})).await).await;
    assert_eq!(added["standing"], "no_list");
    assert!(added["problem"].as_str().unwrap().contains("opens nothing"));
    let update = |crl: String| json!({ "authority": added["id"], "crl": crl });
    for (crl, says) in [
        (other.list(9, now), "not signed by any of these"),
        ("hello".to_owned(), "no revocation list"),
        ("-----BEGIN X509 CRL-----".to_owned(), "no usable revocation list"),
    ] {
        let args = place.with_tenant(update(crl)).await;
        let refused = place.not("authority_list_update", args).await;
        assert_eq!(refused["field"], "crl");
        assert!(refused["message"].as_str().unwrap().contains(says), "{refused}");
    }
    let args = place.with_tenant(update(partner.list(7, now))).await;
    let shown = place.ask("authority_list_update", args).await;
    assert_eq!((&shown["standing"], &shown["problem"]), (&json!("trusted"), &Value::Null));
    let args = place.with_tenant(update(partner.list(6, now))).await;
    let refused = place.not("authority_list_update", args).await;
    assert!(refused["message"].as_str().unwrap().contains("older"), "{refused}");
    // In base64, as a form may send what a file has.
    let bare: String = partner.list(8, now).lines().filter(|it| !it.starts_with('-')).collect();
    place.ask("authority_list_update", place.with_tenant(update(bare)).await).await;
    place.clock.advance(Duration::from_secs(7200));
    place
        .ask_as(crate::Actor::Nobody, "unlock", json!({ "passphrase": super::place::PASSPHRASE }))
        .await;
    let shown = place.shown().await;
    assert_eq!(shown["outside"][0]["standing"], "list_expired");
}

#[tokio::test]
async fn m07_an_outside_authority_is_held_to_its_prefix_and_is_one_tenants() {
    let place = Place::with_starter().await;
    let partner = Partner::new(&place);
    for prefix in ["spiffe://partner.example", "spiffe://partner.example/ns", "partner", ""] {
        let args = place.add(&partner, json!({ "prefix": prefix })).await;
        assert_eq!(place.not("authority_add", args).await["field"], "prefix", "{prefix}");
    }
    let own = place.shown().await["speaks_for"].as_str().unwrap().to_owned();
    let args = place.add(&partner, json!({ "prefix": own })).await;
    assert_eq!(place.not("authority_add", args).await["field"], "prefix", "our own names");
    for pem in ["", "hello"] {
        let args = place.add(&partner, json!({ "pem": pem })).await;
        assert_eq!(place.not("authority_add", args).await["field"], "pem", "{pem}");
    }
    let added = place.ask("authority_add", place.add(&partner, json!({})).await).await;
    let mut args = place.add(&partner, json!({ "name": "again" })).await;
    assert_eq!(place.not("authority_add", args.clone()).await["code"], "conflict");
    let other = place.ask("tenant_create", json!({ "name": "globex" })).await;
    args["tenant"] = other["id"].clone();
    assert_eq!(place.not("authority_add", args.clone()).await["code"], "conflict");
    args["prefix"] = json!("spiffe://partner.example/tenant/test/");
    place.ask("authority_add", args).await;
    let stolen = json!({ "tenant": other["id"], "authority": added["id"] });
    assert_eq!(place.not("authority_remove", stolen).await["code"], "not_found");
}

#[tokio::test]
async fn an_outside_certificate_is_registered_once_and_goes_with_its_authority() {
    let place = Place::with_starter().await;
    let partner = Partner::new(&place);
    let now = place.options.clock.now();
    let list = json!({ "crl": partner.list(1, now) });
    let added = place.ask("authority_add", place.add(&partner, list).await).await;
    let agent = place.agent("executor-1").await["id"].clone();
    let register = |more: Value| {
        let mut args = json!({ "agent": agent, "authority": added["id"] });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    };
    for (more, field) in [
        (json!({}), "spiffe"),
        (json!({ "spiffe": BUILD, "certificate": "x" }), "spiffe"),
        (json!({ "spiffe": "spiffe://partner.example/tenant/test/agent/a" }), "spiffe"),
        (json!({ "spiffe": format!("{BUILD}/") }), "spiffe"),
        (json!({ "certificate": "hello" }), "certificate"),
        (json!({ "spiffe": BUILD, "networks": ["x"] }), "networks"),
    ] {
        let args = place.with_tenant(register(more)).await;
        assert_eq!(place.not("certificate_register", args).await["field"], field);
    }
    let networks = json!({ "spiffe": BUILD, "networks": ["10.0.0.0/8"] });
    let args = place.with_tenant(register(networks)).await;
    let registered = place.ask("certificate_register", args.clone()).await;
    assert_eq!(registered["kind"], "certificate");
    assert_eq!(registered["proof"]["kind"], "outside_certificate");
    assert_eq!(registered["proof"]["spiffe"], BUILD);
    assert_eq!(place.not("certificate_register", args.clone()).await["code"], "conflict");
    let revoke = json!({ "credential": registered["id"] });
    place.ask("credential_revoke", place.with_tenant(revoke).await).await;
    place.ask("certificate_register", args).await;
    let pem = json!({ "certificate": partner.leaf(now) });
    let one = place.ask("certificate_register", place.with_tenant(register(pem)).await).await;
    assert!(one["proof"]["fingerprint"].is_string());
    assert_eq!(place.shown().await["outside"][0]["credentials"], 2);

    let what = json!({ "kind": "certificate", "authority": added["id"], "serial": "5a01" });
    let revoked = json!({ "what": what, "reason": "lost" });
    let told = place.ask("revocation_add", place.with_tenant(revoked).await).await;
    assert!(told["sentence"].as_str().unwrap().contains("5a01"));
    for serial in ["5A01", "5a0", "", "00ff"] {
        let what = json!({ "kind": "certificate", "authority": added["id"], "serial": serial });
        let args = place.with_tenant(json!({ "what": what, "reason": "lost" })).await;
        assert_eq!(place.not("revocation_add", args).await["field"], "what", "{serial}");
    }

    let args = place.with_tenant(json!({ "authority": added["id"] })).await;
    place.ask("authority_remove", args).await;
    assert_eq!(place.shown().await["outside"], json!([]));
    let all = place.ask("credential_list", place.with_tenant(json!({})).await).await;
    let all = all.as_array().unwrap().iter().filter(|it| it["kind"] == "certificate");
    assert!(all.clone().count() == 3 && all.clone().all(|it| it["state"] == "revoked"));
}

#[tokio::test]
async fn m16_another_authority_issues_and_the_one_before_is_believed_until_its_last_has_ended() {
    let place = Place::with_starter().await;
    let args = || async { place.with_tenant(json!({})).await };
    assert_eq!(place.not("authority_rotate", args().await).await["code"], "not_found");
    let agent = place.agent("executor-1").await["id"].clone();
    let issue = || async { place.with_tenant(json!({ "agent": agent })).await };
    let old = place.ask("certificate_issue", issue().await).await;
    let shown = place.ask("authority_rotate", args().await).await;
    assert_ne!(shown["certificate"], old["authority"]);
    assert_eq!(shown["former"][0]["certificate"], old["authority"]);
    let new = place.ask("certificate_issue", issue().await).await;
    assert_eq!(new["authority"], shown["certificate"]);
    for _ in 0..2 {
        place.ask("authority_rotate", args().await).await;
    }
    assert_eq!(place.not("authority_rotate", args().await).await["code"], "conflict");
    place.clock.advance(Duration::from_secs(7 * 86_400));
    place
        .ask_as(crate::Actor::Nobody, "unlock", json!({ "passphrase": super::place::PASSPHRASE }))
        .await;
    assert_eq!(place.shown().await["former"], json!([]));
    place.ask("authority_rotate", args().await).await;
}

#[tokio::test]
async fn m10_of_any_number_of_attempts_with_one_request_one_gets_a_certificate() {
    let place = Place::with_starter().await;
    let args = json!({
        "tenant": place.tenant().await, "agent": place.agent("executor-1").await["id"],
        "csr": include_str!("request.pem"),
    });
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (control, args) = (place.control.clone(), args.clone());
        attempts.spawn(async move {
            let actor = control.console();
            control.dispatch(&actor, "certificate_issue", args).await.is_ok()
        });
    }
    let issued = attempts.join_all().await.into_iter().filter(|it| *it).count();
    assert_eq!(issued, 1);
    let told = place.log(&["admin.changed"]).await;
    let refused = told.iter().filter(|it| it["reason"] == "certificate_not_issued");
    assert_eq!(refused.clone().count(), 31, "m09: each refusal is on record");
    assert!(refused.clone().all(|it| it.to_string().contains("this key has a certificate")));
}

#[tokio::test]
async fn a_certificate_is_renewed_by_another_one_and_bound_as_narrowly_as_it_is_asked_for() {
    let place = Place::with_starter().await;
    let agent = place.agent("executor-1").await;
    let task = agent["tasks"][0]["id"].clone();
    let issue = |more: Value| {
        let mut args = json!({ "agent": agent["id"] });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    };
    let narrow = json!({ "tasks": [task], "networks": ["192.0.2.7"], "task": task });
    let first = place.with_tenant(issue(narrow)).await;
    let first = place.ask("certificate_issue", first).await;
    let second = place.with_tenant(issue(json!({}))).await;
    let second = place.ask("certificate_issue", second).await;
    let all = place.ask("credential_list", place.with_tenant(json!({})).await).await;
    let of = |issued: &Value| {
        let all = all.as_array().unwrap();
        all.iter().find(|it| it["id"] == issued["credential"]).unwrap().clone()
    };
    assert_eq!(of(&first)["networks"], json!(["192.0.2.7/32"]));
    assert_eq!(of(&first)["tasks"][0]["id"], task);
    assert_eq!((&of(&first)["state"], &of(&second)["state"]), (&json!("active"), &json!("active")));
    assert_eq!(of(&second)["tasks"], Value::Null);
    for (more, field) in
        [(json!({ "tasks": [] }), "tasks"), (json!({ "networks": ["10.0.0.7/8"] }), "networks")]
    {
        let args = place.with_tenant(issue(more)).await;
        assert_eq!(place.not("certificate_issue", args).await["field"], field);
    }
}

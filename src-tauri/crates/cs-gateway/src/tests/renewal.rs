//! Where the holder of a key is given the one that takes its place.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use cs_model::event::{Event, EventKind};
use cs_model::state::CredentialState;
use cs_model::{CredentialId, TenantId, Timestamp};
use serde_json::json;

use super::client::{Client, Reply, nonce, raw};
use super::world::{Journal, NOON, OTHER, STRANGER, Stage, WORKER, credential, key_id};
use crate::ports::{PortError, Renewal, Renewals};

#[async_trait]
impl Renewals for Journal {
    async fn renew(
        &self,
        _: TenantId,
        _: CredentialId,
        event: Event,
    ) -> Result<Renewal, PortError> {
        let found = self.successor.lock().unwrap().clone();
        if matches!(found, Renewal::Ready { .. }) {
            self.keep(vec![event])?;
        }
        Ok(found)
    }
}

const PATH: &str = "/t/acme/credentials/renew";

fn holder(stage: &Stage, number: u128) -> Client {
    stage.client(number).at(PATH)
}

async fn ask(stage: &Stage, client: &Client) -> Reply {
    let signed = client.signature("POST", b"");
    raw(stage.gateway.address(), &client.bytes("POST", &signed, b"")).await
}

/// From here on the key of the worker has a successor: for the test, another key that there is.
fn has_successor(stage: &Stage) {
    *stage.journal.successor.lock().unwrap() = Renewal::Ready {
        credential: credential(OTHER),
        key_id: key_id(OTHER),
        expires: Timestamp::from_millis(NOON),
    };
}

#[tokio::test]
async fn the_holder_of_the_old_key_is_given_the_new_one_and_that_is_on_record_before() {
    let stage = Stage::new().await;
    let worker = holder(&stage, WORKER);
    let nothing = ask(&stage, &worker).await;
    assert_eq!((nothing.status, nothing.body.as_str()), (204, ""));
    assert_eq!(stage.journal.steps(), ["authn.succeeded"]);
    has_successor(&stage);
    stage.journal.forget();
    let reply = ask(&stage, &worker).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let body = reply.json();
    assert_eq!(body["key_id"], key_id(OTHER));
    assert!(body["secret"].as_str().unwrap().starts_with("css_"));
    assert_eq!(stage.journal.steps(), ["authn.succeeded", "credential.delivered"]);
    let told = stage.journal.events().pop().unwrap();
    assert_eq!(told.credential, Some(credential(WORKER)));
    let refused = Renewal::Refused { reason: "successor_in_use" };
    *stage.journal.successor.lock().unwrap() = refused;
    let reply = ask(&stage, &worker).await;
    assert_eq!(reply.status, 403);
    assert_eq!(stage.journal.reasons(EventKind::RequestRefused), ["successor_in_use"]);
}

#[tokio::test]
async fn a01_no_key_is_handed_over_that_is_not_on_record() {
    let stage = Stage::new().await;
    has_successor(&stage);
    stage.journal.audit_is_down.store(true, Ordering::SeqCst);
    let reply = ask(&stage, &holder(&stage, WORKER)).await;
    assert_eq!(reply.status, 503);
    assert!(!reply.body.contains("css_"));
}

#[tokio::test]
async fn k13_no_key_that_does_not_stand_fetches_a_successor() {
    let stage = Stage::new().await;
    has_successor(&stage);
    let worker = holder(&stage, WORKER);
    let cases = [
        (CredentialState::Revoked, "credential_revoked"),
        (CredentialState::Suspended, "credential_suspended"),
        (CredentialState::Expired, "credential_expired"),
    ];
    for (state, reason) in cases {
        stage.journal.forget();
        stage.change_key(WORKER, |key| key.state = state);
        let reply = ask(&stage, &worker).await;
        assert_eq!(reply.status, 401, "{reason}");
        assert!(!reply.body.contains("css_"));
        assert_eq!(stage.journal.reasons(EventKind::AuthnFailed), [reason]);
    }
    stage.journal.forget();
    assert_eq!(ask(&stage, &holder(&stage, STRANGER)).await.status, 401);
    assert_eq!(stage.journal.reasons(EventKind::AuthnFailed), ["wrong_tenant"]);
}

#[tokio::test]
async fn k15_nothing_but_a_fresh_signature_of_the_old_key_fetches_a_successor() {
    let stage = Stage::new().await;
    has_successor(&stage);
    let worker = holder(&stage, WORKER);
    let address = stage.gateway.address();
    let get = |signed: &[(String, String)]| worker.bytes("POST", signed, b"");
    let bearer = [("authorization".to_owned(), "Bearer css_x".to_owned())];
    assert_eq!(raw(address, &get(&bearer)).await.status, 401);
    assert_eq!(raw(address, &get(&[])).await.status, 401);
    let stale = worker.signature_with("POST", b"", NOON / 1000 - 91, &nonce());
    assert_eq!(raw(address, &get(&stale)).await.status, 401);
    let elsewhere = stage.client(WORKER).at("/t/acme/mcp").signature("POST", b"");
    assert_eq!(raw(address, &get(&elsewhere)).await.status, 401, "signed for another path");
    let signed = worker.signature("POST", b"");
    assert_eq!(raw(address, &get(&signed)).await.status, 200);
    assert_eq!(raw(address, &get(&signed)).await.status, 401, "a replay");
    let told = stage.journal.reasons(EventKind::AuthnFailed);
    assert_eq!(told.last().map(String::as_str), Some("replay"));
}

#[tokio::test]
async fn what_is_no_such_request_is_refused_and_on_record() {
    let stage = Stage::new().await;
    has_successor(&stage);
    let worker = holder(&stage, WORKER);
    let address = stage.gateway.address();
    let get = worker.bytes("GET", &worker.signature("GET", b""), b"");
    assert_eq!(raw(address, &get).await.status, 405);
    let body = json!({ "csr": "x" }).to_string();
    let signed = worker.signature("POST", body.as_bytes());
    let with_body = worker.bytes("POST", &signed, body.as_bytes());
    assert_eq!(raw(address, &with_body).await.status, 413);
    let coded = worker.clone().header("content-encoding", "gzip");
    let coded = coded.bytes("POST", &worker.signature("POST", b""), b"");
    assert_eq!(raw(address, &coded).await.status, 415);
    let query = String::from_utf8(worker.bytes("POST", &worker.signature("POST", b""), b""));
    let query = query.unwrap().replace(PATH, &format!("{PATH}?x=1"));
    assert_eq!(raw(address, query.as_bytes()).await.status, 400);
    let told = stage.journal.reasons(EventKind::RequestRefused);
    assert_eq!(told, ["http_method", "body_too_large", "content_encoding", "query"]);
    for path in ["/t/acme/credentials", "/t/acme/x/credentials/renew", "/t//credentials/renew"] {
        let client = stage.client(WORKER).at(path);
        assert_ne!(ask(&stage, &client).await.status, 200, "{path}");
    }
}

//! Calls with very much in them, and tokens that were made out for somewhere else.

use std::fmt::Write as _;
use std::time::Duration;

use cs_model::Digest;
use cs_model::event::EventKind;
use cs_trust::operation;
use serde_json::json;

use super::client::{Client, Reply, body, meta};
use super::world::{INSTANCE, Stage, WORKER, operator_key, token};

/// About a megabyte in some thousand members, the last of which is this.
fn arguments(last: &str) -> String {
    let mut text = String::from("{");
    for at in 0..4_000 {
        write!(text, "\"k{at:05}\":\"{}\",", "x".repeat(240)).unwrap();
    }
    write!(text, "\"to\":\"{last}\"}}").unwrap();
    text
}

async fn write_file(client: &Client, arguments: &str, token: Option<&str>) -> Reply {
    let mut meta = meta();
    meta.as_object_mut()
        .unwrap()
        .extend(token.map(|token| ("dev.countersign/operation-token".to_owned(), token.into())));
    let params = json!({ "name": "write_file", "arguments": {}, "_meta": meta });
    let text = body("tools/call", params);
    let text = text.replacen("\"arguments\":{}", &format!("\"arguments\":{arguments}"), 1);
    client.modern("tools/call").header("mcp-name", "write_file").post(&text).await
}

/// Attacks O21: what is signed for is every byte of the arguments, however many there are.
#[tokio::test]
async fn o21_a_signature_is_for_every_byte_of_very_large_arguments() {
    let stage = Stage::with(|it| it.limits.hold = Duration::from_millis(40)).await;
    let client = stage.client(WORKER);
    let (bob, eve) = (arguments("bob"), arguments("eve"));
    assert!(bob.len() > 1_000_000, "{}", bob.len());
    write_file(&client, &bob, None).await;
    let request = stage.journal.requests(1).await.remove(0);
    assert_eq!(request.arguments, bob, "a person is shown all of it");
    assert_eq!(request.arguments_digest, Digest::of(bob.as_bytes()));
    let token = stage.journal.approve(&request, 1);

    let other = write_file(&client, &eve, Some(&token)).await;
    assert_ne!(other.text(), "done");
    assert_eq!(stage.journal.reasons(EventKind::TokenRefused), ["args_mismatch"]);
    let other = write_file(&client, &eve, None).await;
    assert_ne!(other.text(), "done", "another request");
    assert_eq!(stage.journal.requests(2).await[1].arguments, eve);
    assert_eq!(stage.journal.calls(), []);

    assert_eq!(write_file(&client, &bob, None).await.text(), "done");
    let sent = stage.journal.calls().remove(0).arguments.unwrap();
    assert!(sent == bob, "and all of it is what is sent");

    let mut many = String::from("{");
    for at in 0..10_000 {
        write!(many, "\"k{at:05}\":1,").unwrap();
    }
    write_file(&client, &format!("{many}\"z\":1}}"), None).await;
    let request = stage.journal.requests(3).await.remove(2);
    assert_eq!(request.arguments, format!("{many}\"z\":1}}"));
    let token = stage.journal.approve(&request, 2);
    let more = write_file(&client, &format!("{many}\"z\":2}}"), Some(&token)).await;
    assert_ne!(more.text(), "done");
    assert_eq!(stage.journal.calls().len(), 1);
}

/// Attacks O22: an operator of two gateways signs for one of them.
#[tokio::test]
async fn o22_a_token_for_another_gateway_pays_for_nothing_here() {
    let stage = Stage::with(|it| it.limits.hold = Duration::from_millis(40)).await;
    let client = stage.client(WORKER);
    write_file(&client, "{}", None).await;
    let request = stage.journal.requests(1).await.remove(0);
    for (number, audience) in
        (1..).zip(["countersign:other", "", "countersign:test2", "COUNTERSIGN:TEST"])
    {
        let mut claims = stage.journal.claims(&request, number);
        claims.aud = audience.to_owned();
        let token = operation::mint(&claims, &operator_key()).unwrap();
        // Handed over with the call, and from the ledger that two gateways would share.
        let reply = write_file(&client, "{}", Some(&token)).await;
        assert_ne!(reply.text(), "done", "{audience}");
        stage.journal.rule(request.id, crate::ports::Ruling::Approved { tokens: vec![token] });
        let reply = write_file(&client, "{}", None).await;
        assert_ne!(reply.text(), "done", "{audience}");
    }
    assert_eq!(stage.journal.calls(), []);
    let reasons = stage.journal.reasons(EventKind::TokenRefused);
    assert!(
        !reasons.is_empty() && reasons.iter().all(|it| it == "gateway_mismatch"),
        "{reasons:?}"
    );
    let mut claims = stage.journal.claims(&request, 9);
    (claims.aud, claims.jti) = (INSTANCE.to_owned(), token(9));
    let token = operation::mint(&claims, &operator_key()).unwrap();
    assert_eq!(write_file(&client, "{}", Some(&token)).await.text(), "done");
}

//! Resources that clients watch: judged like reads, and told to those who may read them.

use std::collections::BTreeSet;
use std::time::Duration;

use cs_model::document::{ServerDoc, ToolDoc};
use cs_model::event::EventKind;
use cs_model::state::SessionEnd;
use cs_model::{Digest, Grant, Name};
use serde_json::{Value, json};

use super::client::{Client, Open, PATIENCE, body, meta};
use super::kinds::{KEYS, NOTES, furnish, legacy, stage};
use super::world::{GLOBEX, OTHER, Stage, WORKER, server, tenant, tool};
use crate::upstream::{Change, What};

const UPDATED: &str = "notifications/resources/updated";

/// One that a template stands for, and one of which a person would have to sign each read.
const MADE: &str = "file:///data/made";
const SIGNED: &str = "file:///data/log-1";

async fn listen(client: &Client, uris: &[&str]) -> Open {
    let wishes = json!({ "resourceSubscriptions": uris });
    let params = json!({ "notifications": wishes, "_meta": meta() });
    let client = client.modern("subscriptions/listen");
    client.open("POST", &body("subscriptions/listen", params)).await
}

async fn subscribe(client: &Client, uri: &str) -> super::client::Reply {
    legacy(client, "resources/subscribe", json!({ "uri": uri })).await
}

async fn following(client: &Client) -> Open {
    let mut stream = client.open("GET", "").await;
    stream.until("keep-alive").await;
    stream
}

impl Stage {
    /// A server of acme says that something has changed.
    fn change(&self, uri: &str) {
        let (tenant, server) = (tenant(1), server(1000));
        self.journal.news.send(Change { tenant, server, what: What::Updated(uri.into()) }).unwrap();
    }

    fn watched(&self) -> BTreeSet<String> {
        self.journal.watches.wanted().1
    }

    /// Waits until exactly these are watched.
    async fn watches(&self, uris: &[&str]) {
        let expected: BTreeSet<String> = uris.iter().map(|it| (*it).to_owned()).collect();
        let reached = async {
            while self.watched() != expected {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let timely = tokio::time::timeout(PATIENCE, reached).await.is_ok();
        assert!(timely, "{:?} instead of {expected:?}", self.watched());
    }
}

fn withdraw(stage: &Stage, uri: &str) {
    stage.enforce(|document| {
        furnish(&mut document.tenants[0]);
        let all = &mut document.tenants[0].tools;
        let found = all.iter_mut().find(|it| it.name.as_str() == uri).expect("it is there");
        found.enabled = false;
    });
}

fn told(messages: &[Value]) -> Vec<&str> {
    let all = messages.iter().filter(|it| it["method"] == UPDATED);
    all.filter_map(|it| it["params"]["uri"].as_str()).collect()
}

#[tokio::test]
async fn x07_an_older_client_hears_of_what_it_may_read_and_of_nothing_else() {
    let stage = stage().await;
    let client = stage.client(WORKER).initialize().await;
    let mut stream = following(&client).await;
    for uri in [NOTES, MADE] {
        assert_eq!(subscribe(&client, uri).await.json()["result"], json!({}), "{uri}");
    }
    for uri in [KEYS, SIGNED, "file:///etc/passwd", "file:///data/../x", "ui://app", "notes"] {
        assert_eq!(subscribe(&client, uri).await.error_code(), -32002, "{uri}");
    }
    let odd = json!({ "uri": NOTES, "more": 1 });
    assert_eq!(legacy(&client, "resources/subscribe", odd).await.error_code(), -32602);
    assert!(stage.journal.reasons(EventKind::Decision).contains(&"watch_held".to_owned()));
    let finished = stage.journal.reasons(EventKind::ExecutionFinished);
    assert_eq!(finished, ["", ""], "two are on record, without a fault");
    assert_eq!(stage.watched().len(), 2);

    // The third may be read, but nobody wants to hear of it.
    for uri in [KEYS, SIGNED, "file:///data/third", NOTES, MADE] {
        stage.change(uri);
    }
    stream.until(MADE).await;
    let gone = json!({ "uri": MADE });
    for _ in 0..2 {
        let reply = legacy(&client, "resources/unsubscribe", gone.clone()).await;
        assert_eq!(reply.json()["result"], json!({}));
    }
    stage.watches(&[NOTES]).await;
    withdraw(&stage, NOTES);
    stage.watches(&[]).await;
    stage.change(MADE);
    stage.change(NOTES);
    let id = stage.gateway.sessions()[0].id;
    stage.gateway.end_session(id, SessionEnd::Operator).await.unwrap();
    assert_eq!(told(&stream.end().await.messages()), [NOTES, MADE]);
}

#[tokio::test]
async fn x07_a_newer_client_is_acknowledged_what_it_may_read_and_hears_of_that() {
    let stage = stage().await;
    let client = stage.client(WORKER);
    let mut stream = listen(&client, &[KEYS, NOTES, SIGNED, MADE, "file:///etc/passwd"]).await;
    stream.until("acknowledged").await;
    for uri in [KEYS, SIGNED, "file:///data/third", NOTES] {
        stage.change(uri);
    }
    stream.until(UPDATED).await;
    withdraw(&stage, NOTES);
    stage.watches(&[MADE]).await;
    stage.change(NOTES);
    stage.change(MADE);
    stream.until(&format!("\"uri\":\"{MADE}\"")).await;
    let id = stage.gateway.sessions()[0].id;
    stage.gateway.end_session(id, SessionEnd::Operator).await.unwrap();
    let messages = stream.end().await.messages();
    let honoured = json!({ "resourceSubscriptions": [MADE, NOTES] });
    assert_eq!(messages[0]["params"]["notifications"], honoured);
    assert_eq!(told(&messages), [NOTES, MADE]);
    let subscription = json!({ "io.modelcontextprotocol/subscriptionId": 1 });
    assert!(messages[1..3].iter().all(|it| it["params"]["_meta"] == subscription));
    stage.watches(&[]).await;
}

#[tokio::test]
async fn s06_nobody_hears_what_another_session_watches_or_what_another_server_says() {
    let stage = stage().await;
    // Another server of the tenant, of which the session can call something as well.
    stage.enforce(|document| {
        let acme = &mut document.tenants[0];
        furnish(acme);
        acme.servers.push(ServerDoc {
            id: server(1001),
            name: Name::parse("more").unwrap(),
            ..acme.servers[0].clone()
        });
        let id = tool(1900);
        let more = ToolDoc { id, server: server(1001), ..acme.tools[0].clone() };
        acme.tools.push(more);
        acme.tasks[0].tools.insert(id);
        acme.roles[0].grants.insert(id, Grant::Allow);
    });
    let (one, other) =
        (stage.client(WORKER).initialize().await, stage.client(OTHER).initialize().await);
    let (mut hears, silent) = (following(&one).await, following(&other).await);
    assert_eq!(subscribe(&one, NOTES).await.json()["result"], json!({}));
    let wrong =
        [(tenant(GLOBEX), server(1000)), (tenant(1), server(2000)), (tenant(1), server(1001))];
    for (tenant, server) in wrong {
        let what = What::Updated(NOTES.into());
        stage.journal.news.send(Change { tenant, server, what }).unwrap();
    }
    stage.change("file:///data/notes/below");
    stage.change(NOTES);
    hears.until(UPDATED).await;
    for session in stage.gateway.sessions() {
        stage.gateway.end_session(session.id, SessionEnd::Operator).await.unwrap();
    }
    assert_eq!(told(&hears.end().await.messages()), [NOTES]);
    assert_eq!(told(&silent.end().await.messages()), [""; 0]);
    assert_eq!(stage.watched(), BTreeSet::new(), "it ended with its session");
}

#[tokio::test]
async fn s06_a_client_that_begins_anew_watches_nothing() {
    let stage = stage().await;
    let client = stage.client(WORKER).initialize().await;
    subscribe(&client, NOTES).await;
    assert_eq!(stage.watched().len(), 1);
    stage.client(WORKER).initialize().await;
    assert_eq!(stage.watched().len(), 0);
    assert_eq!(subscribe(&client, NOTES).await.status, 404, "the id of the wire is another");
}

/// Attacks X07: also where nobody hears of anything at the moment.
#[tokio::test]
async fn x07_what_may_not_be_read_any_more_is_not_watched_any_more() {
    let stage = stage().await;
    let client = stage.client(WORKER).initialize().await;
    for uri in [NOTES, MADE] {
        subscribe(&client, uri).await;
    }
    stage.watches(&[MADE, NOTES]).await;
    withdraw(&stage, NOTES);
    stage.watches(&[MADE]).await;
}

/// Attacks X07: what could not be read because of its definition is not watched either.
#[tokio::test]
async fn x07_a_resource_whose_definition_is_refused_is_not_watched() {
    let stage = stage().await;
    stage.enforce(|document| {
        furnish(&mut document.tenants[0]);
        let all = &mut document.tenants[0].tools;
        let found = all.iter_mut().find(|it| it.name.as_str() == NOTES).expect("it is there");
        r#"{"name":"n"}"#.clone_into(&mut found.definition);
        found.fingerprint = Digest::of(found.definition.as_bytes());
    });
    let client = stage.client(WORKER).initialize().await;
    assert_eq!(subscribe(&client, NOTES).await.error_code(), -32002);
    assert_eq!(stage.journal.reasons(EventKind::Decision).pop().unwrap(), "definition_refused");
    assert_eq!(stage.watched().len(), 0);
}

#[tokio::test]
async fn k16_a_session_watches_no_more_than_it_may() {
    let stage = stage().await;
    let client = stage.client(WORKER).initialize().await;
    for number in 0..256 {
        let reply = subscribe(&client, &format!("file:///data/n{number}")).await;
        assert_eq!(reply.json()["result"], json!({}), "{number}");
    }
    let uri = "file:///data/more";
    assert_eq!(subscribe(&client, uri).await.error_code(), -32002);
    legacy(&client, "resources/unsubscribe", json!({ "uri": "file:///data/n7" })).await;
    assert_eq!(subscribe(&client, uri).await.json()["result"], json!({}));
    let many: Vec<String> = (0..65).map(|it| format!("file:///data/n{it}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(listen(&stage.client(WORKER), &many).await.end().await.error_code(), -32602);
}

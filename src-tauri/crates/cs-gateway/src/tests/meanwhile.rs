//! What happens while a call waits for a person, or is being paid for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cs_model::event::EventKind;
use cs_model::signing::Approvers;
use cs_model::{Grant, MostWaiting};
use cs_trust::operation;
use serde_json::{Value, json};

use super::client::{call_body, legacy_call};
use super::world::{OTHER, Stage, WORKER, document, tool, world_of};
use crate::ports::{NewApproval, Ruling};
use crate::world::World;

const SHORT: Duration = Duration::from_millis(40);

fn write(text: &str) -> Value {
    json!({ "path": "a", "text": text })
}

async fn one_request(stage: &Stage) -> NewApproval {
    stage.journal.requests(1).await.remove(0)
}

/// Attacks O08: spending takes its time, and what is in force by then is what counts.
#[tokio::test]
async fn o08_what_changes_while_a_signature_is_spent_stops_the_call() {
    type Change = fn(&mut World);
    let narrowed: Change = |world| {
        let mut document = document();
        document.tenants[0].roles[0].grants.insert(tool(1001), Grant::Deny);
        world.policy = world_of(&document).policy;
    };
    let two_sign: Change = |world| {
        let mut document = document();
        let two = Approvers::new(2).unwrap();
        document.tenants[0].tools.iter_mut().for_each(|it| it.signing.approvers = two);
        world.policy = world_of(&document).policy;
    };
    let removed: Change = |world| world.operators = Arc::new(HashMap::new());
    for (change, why) in [
        (narrowed, "not_granted"),
        (two_sign, "too_few_signatures"),
        (removed, "token_operator_unknown"),
    ] {
        let stage = Stage::new().await;
        let client = stage.client(WORKER).initialize().await;
        let waiting = client.open("POST", &legacy_call(2, "write_file", &write("x"))).await;
        let request = one_request(&stage).await;
        let world = stage.world.clone();
        stage.journal.meanwhile.set(move || {
            world.send_modify(|now| {
                let mut next = World::clone(now);
                change(&mut next);
                *now = Arc::new(next);
            });
        });
        stage.journal.approve(&request, 1);
        let reply = waiting.end().await;
        assert!(!reply.body.contains(r#""text":"done""#), "{why}: {}", reply.body);
        assert_eq!(stage.journal.calls(), [], "{why}");
        assert_eq!(stage.journal.ruling_of(request.id), Ruling::Executed, "it stays spent");
        let ends = stage.journal.reasons(EventKind::ExecutionFinished);
        assert_eq!(ends, [why], "its end is on record");
    }
}

/// What somebody took back or denied at that moment is not called executed.
#[tokio::test]
async fn a_call_that_was_taken_back_while_it_was_to_be_paid_for_is_told_so() {
    let cases = [
        (Ruling::Withdrawn, "taken_back"),
        (Ruling::Denied { reason: "no".to_owned() }, "call_denied"),
        (Ruling::Expired, "approval_over"),
        (Ruling::Executed, "spent"),
    ];
    for (ruling, why) in cases {
        let stage = Stage::new().await;
        let client = stage.client(WORKER).initialize().await;
        let waiting = client.open("POST", &legacy_call(2, "write_file", &write("x"))).await;
        let request = one_request(&stage).await;
        let (journal, id, to) = (Arc::clone(&stage.journal), request.id, ruling.clone());
        stage.journal.meanwhile.set(move || journal.rule(id, to));
        stage.journal.approve(&request, 1);
        let text = waiting.end().await.text().clone();
        let executed = text.contains("already executed");
        assert_eq!(executed, why == "spent", "{why}: {text}");
        assert_eq!(stage.journal.reasons(EventKind::TokenRefused), [why]);
        assert_eq!(stage.journal.calls(), []);
    }
}

/// What was approved and does not pay would stand in the way of whoever asks anew.
#[tokio::test]
async fn o15_an_approval_that_does_not_pay_is_taken_back_and_somebody_is_asked_anew() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER).initialize().await;
    client.post(&legacy_call(2, "write_file", &write("x"))).await;
    let request = one_request(&stage).await;
    let stranger = cs_trust::OperatorKey::from_seed([43; 32]).unwrap();
    let token = operation::mint(&stage.journal.claims(&request, 1), &stranger).unwrap();
    stage.journal.rule(request.id, Ruling::Approved { tokens: vec![token] });
    let reply = client.post(&legacy_call(3, "write_file", &write("x"))).await;
    assert!(reply.text().contains("Call again to ask anew"), "{}", reply.text());
    assert_eq!(stage.journal.ruling_of(request.id), Ruling::Withdrawn);
    client.post(&legacy_call(4, "write_file", &write("x"))).await;
    let anew = stage.journal.requests(2).await.remove(1);
    assert_ne!(anew.id, request.id);
    stage.journal.approve(&anew, 2);
    assert_eq!(client.post(&legacy_call(5, "write_file", &write("x"))).await.text(), "done");
}

/// A client that lost its connection makes its call anew before anybody notices.
#[tokio::test]
async fn o10_of_two_that_wait_for_one_request_the_one_that_leaves_takes_nothing_back() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let call = call_body("write_file", write("x"));
    let mut first = client.open_call(&call, "write_file").await;
    first.until("keep-alive").await;
    let mut second = client.open_call(&call.replace("\"id\":1", "\"id\":2"), "write_file").await;
    second.until("keep-alive").await;
    let request = one_request(&stage).await;
    drop(first);
    // The gateway has to notice that it is gone.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(stage.journal.ruling_of(request.id), Ruling::Pending);
    stage.journal.approve(&request, 1);
    assert_eq!(second.end().await.text(), "done");
    assert_eq!(stage.journal.calls().len(), 1);
}

/// To ask and leave is to have asked: otherwise there would be no end to what is put before people.
#[tokio::test]
async fn o16_calls_that_are_left_behind_count_towards_what_may_wait() {
    let stage = Stage::new().await;
    stage.enforce(|it| {
        let most = MostWaiting::new(3).ok();
        it.tenants[0].agents.iter_mut().for_each(|agent| agent.most_waiting = most);
    });
    let client = stage.client(WORKER);
    for number in 0..3 {
        let call = call_body("write_file", write(&number.to_string()));
        let mut waiting = client.open_call(&call, "write_file").await;
        waiting.until("keep-alive").await;
        let request = stage.journal.requests(number + 1).await.remove(number);
        drop(waiting);
        while stage.journal.ruling_of(request.id) == Ruling::Pending {
            tokio::task::yield_now().await;
        }
    }
    // It is counted right after it was taken back.
    let fourth = loop {
        let reply = client.call("write_file", write("3")).await;
        if reply.text().contains("As many calls of this agent") {
            break reply;
        }
    };
    assert!(fourth.body.contains("isError"), "{}", fourth.body);
    let asked = stage.journal.requests_now().len();
    assert!(asked <= 4, "{asked}");
    stage.journal.pass(Duration::from_secs(3600));
    let other = stage.client(OTHER);
    let mut waiting = other.open_call(&call_body("write_file", write("4")), "write_file").await;
    waiting.until("keep-alive").await;
}

/// Nobody reads more than so much, and all of it would be kept.
#[tokio::test]
async fn o21_more_than_a_person_reads_is_not_put_before_one() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let long = write(&"x".repeat(1024 * 1024));
    let reply = client.post(&legacy_call(2, "write_file", &long)).await;
    assert_eq!(reply.error_code(), -32602);
    assert!(reply.body.contains("too long to be signed for"), "{}", reply.body);
    assert_eq!(stage.journal.requests_now().len(), 0);
}

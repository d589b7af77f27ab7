//! Agents that ask people too much.

use std::time::Duration;

use cs_model::MostWaiting;
use cs_model::event::{Decision, EventKind};
use serde_json::json;

use super::client::legacy_call;
use super::world::{OTHER, Stage, WORKER};
use crate::ports::Ruling;

const SHORT: Duration = Duration::from_millis(40);

fn write(number: usize) -> serde_json::Value {
    json!({ "path": number.to_string() })
}

/// Attacks O16: more calls of one agent than may wait are refused at once, under a reason of their
/// own, until some are decided. The registry counts them, whatever session they come from.
#[tokio::test]
async fn o16_no_more_calls_of_an_agent_wait_than_may() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let set = |number: u16| {
        stage.enforce(|document| {
            document.tenants[0].agents[0].most_waiting = MostWaiting::new(number).ok();
        });
    };
    set(3);
    let first = stage.client(WORKER).initialize().await;
    let second = &first;
    for number in 0..2 {
        assert!(
            first
                .post(&legacy_call(7, "write_file", &write(number)))
                .await
                .text()
                .contains("is waiting")
        );
    }
    assert!(
        second.post(&legacy_call(7, "write_file", &write(2))).await.text().contains("is waiting")
    );
    stage.journal.forget();
    for client in [&first, second] {
        let told = client.post(&legacy_call(7, "write_file", &write(9))).await;
        assert!(told.text().contains("of this agent wait"), "{}", told.body);
    }
    assert_eq!(stage.journal.requests_now().len(), 3);
    let events = stage.journal.events();
    let denied = events
        .iter()
        .filter(|it| it.kind == EventKind::Decision && it.decision == Some(Decision::Deny));
    assert!(denied.clone().count() == 2);
    for event in denied {
        assert_eq!(event.reason.as_deref(), Some("agent_too_many_waiting"));
    }
    let known = first.post(&legacy_call(7, "write_file", &write(0))).await;
    assert!(known.text().contains("is waiting"), "it is found as before: {}", known.body);
    let other =
        stage.client(OTHER).initialize().await.post(&legacy_call(7, "write_file", &write(9))).await;
    assert!(other.text().contains("is waiting"), "nobody else waits for it: {}", other.body);

    let one = stage.journal.requests_now()[0].id;
    stage.journal.rule(one, Ruling::Expired);
    assert!(
        second.post(&legacy_call(7, "write_file", &write(9))).await.text().contains("is waiting")
    );
    assert!(
        second
            .post(&legacy_call(7, "write_file", &write(10)))
            .await
            .text()
            .contains("of this agent wait")
    );
    set(20);
    for number in 10..16 {
        let told = second.post(&legacy_call(7, "write_file", &write(number))).await;
        assert!(told.text().contains("is waiting"), "all of them in one session: {}", told.body);
    }
}

//! A gateway that stops while much is under way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cs_model::event::{Decision, EventKind};
use serde_json::json;
use tokio::net::TcpStream;

use super::client::legacy_call;
use super::world::{Behaviour, Stage, WORKER};
use crate::ports::Ruling;

const HANGING: usize = 20;
const QUICK: usize = 80;
const HELD: usize = 5;

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap()
}

/// Attacks F09: what is under way is ended and answered, what waits for a person is let go and not
/// made, what does not end in time stays on record as begun, and nothing is sent after that.
#[tokio::test]
async fn f09_a_stop_ends_what_is_under_way_and_makes_nothing_that_was_not_on_record() {
    let stage = Stage::with(|it| it.limits.drain = Duration::from_secs(3)).await;
    let client = stage.client(WORKER).initialize().await;
    stage.journal.behave(Behaviour::Hang);
    let mut hanging = Vec::new();
    for at in 0..HANGING {
        let call = legacy_call(number(at), "read_file", &json!({ "hangs": at }));
        hanging.push(client.open("POST", &call).await);
    }
    stage.journal.reached(HANGING).await;

    stage
        .journal
        .behave(Behaviour::Answer(r#"{"content":[{"type":"text","text":"done"}]}"#.into()));
    let mut held = Vec::new();
    for at in 0..HELD {
        let call = legacy_call(number(100 + at), "write_file", &json!({ "path": at }));
        held.push(client.open("POST", &call).await);
    }
    let requests = stage.journal.requests(HELD).await;

    // These stand right before their record, and nothing of them was sent.
    stage.journal.audit_is_slow.send_replace(true);
    let mut quick = Vec::new();
    for at in 0..QUICK {
        let call = legacy_call(number(200 + at), "read_file", &json!({ "quick": at }));
        quick.push(client.open("POST", &call).await);
    }
    let all = u64::try_from(HANGING + HELD + QUICK).unwrap();
    while stage.gateway.calls_last_minute() < all {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.journal.calls().len(), HANGING);

    let address = stage.gateway.address();
    let Stage { gateway, journal, .. } = stage;
    let gateway = Arc::new(gateway);
    let stopping = Arc::clone(&gateway);
    let stopped = tokio::spawn(async move { stopping.stop().await });
    gateway.gate.stops().await;
    journal.audit_is_slow.send_replace(false);
    for call in held {
        let reply = call.end().await;
        assert!(reply.body.contains("The gateway is stopping"), "{}", reply.body);
    }
    for call in quick {
        assert_eq!(call.end().await.text(), "done");
    }
    stopped.await.unwrap();
    for request in requests {
        assert_eq!(journal.ruling_of(request.id), Ruling::Pending, "still before a person");
    }
    let of = |kind, decision| {
        let events = journal.events();
        let of_kind =
            events.into_iter().filter(move |it| (it.kind, it.decision) == (kind, decision));
        of_kind.map(|it| it.correlation.unwrap()).collect::<Vec<_>>()
    };
    let started = of(EventKind::Decision, Some(Decision::Allow));
    let finished = of(EventKind::ExecutionFinished, None);
    assert_eq!(journal.calls().len(), HANGING + QUICK);
    assert_eq!(started.len(), HANGING + QUICK, "each call was on record before it was made");
    assert_eq!(finished.len(), QUICK, "what hangs has no outcome, so it is unknown");
    let started: BTreeSet<_> = started.into_iter().collect();
    assert!(finished.iter().all(|it| started.contains(it)));
    assert!(TcpStream::connect(address).await.is_err(), "nobody is let in any more");
    drop(hanging);
}

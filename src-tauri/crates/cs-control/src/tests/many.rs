//! Very many calls that wait for a person, over the end of a process.

use std::sync::Arc;
use std::time::Duration;

use cs_gateway::ports::{NewApproval, Ruling};
use cs_model::{ApprovalId, Digest};
use serde_json::json;
use tokio::task::JoinSet;

use super::approvals::Waiting;
use super::place::{PASSPHRASE, Place};
use crate::adapters::ports;
use crate::lifecycle;

const MANY: u32 = 1_000;

fn parts(waiting: Waiting) -> (Place, NewApproval) {
    let Waiting { place, request, .. } = waiting;
    (place, request)
}

async fn rulings(place: &Place, all: &[NewApproval]) -> Vec<Ruling> {
    let ports = ports(&place.control.core().unwrap());
    let mut found = Vec::new();
    for request in all {
        found.push(ports.desk.ruling(request.tenant, request.id).await.unwrap());
    }
    found
}

/// Attacks F05: a restart decides nothing. What waited waits on, what was decided stays decided,
/// and what nobody decides in time expires; none of it was ever approved.
#[tokio::test]
async fn f05_a_thousand_calls_wait_on_after_a_restart_and_none_is_approved_by_it() {
    let (place, first) = parts(Waiting::new().await);
    let desk = Arc::clone(&ports(&place.control.core().unwrap()).desk);
    let mut filing = JoinSet::new();
    for number in 1..MANY {
        let mut id = [5; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let arguments = json!({ "to": number }).to_string();
        let request = NewApproval {
            id: ApprovalId::from_random(id),
            operation: Digest::of(&id),
            arguments_digest: Digest::of(arguments.as_bytes()),
            arguments,
            most_waiting: u16::MAX,
            ..first.clone()
        };
        let desk = Arc::clone(&desk);
        filing.spawn(async move {
            desk.file(request.clone(), Vec::new()).await.unwrap();
            request
        });
    }
    drop(desk);
    let all = filing.join_all().await;
    let deny = json!({ "tenant": first.tenant, "approval": first.id, "reason": "no",
                       "passphrase": PASSPHRASE });
    place.ask("approval_deny", deny).await;

    let place = place.reopen().await;
    assert!(rulings(&place, &all).await.iter().all(|it| *it == Ruling::Pending));
    assert!(matches!(
        &rulings(&place, std::slice::from_ref(&first)).await[0],
        Ruling::Denied { .. }
    ));
    place.ask("unlock", json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(place.ask("status", json!({})).await["waiting_approvals"], all.len());
    assert_eq!(place.log(&["approval.approved"]).await.len(), 0);

    place.clock.advance(Duration::from_secs(900));
    lifecycle::tick(place.control.inner(), false).await.unwrap();
    assert!(rulings(&place, &all).await.iter().all(|it| *it == Ruling::Expired));
    let place = place.reopen().await;
    assert!(rulings(&place, &all).await.iter().all(|it| *it == Ruling::Expired));
    place.ask("unlock", json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(place.log(&["approval.approved"]).await.len(), 0);
}

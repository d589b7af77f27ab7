use super::*;
use crate::redemption::Spend;
use crate::testing::{A, B, Fixture, later, new_approval, operator_id, saying};

async fn file(fixture: &Fixture, request: NewApproval) -> Filed {
    let events = vec![saying("requested")];
    fixture.registry.submit(File { request, most_waiting: 500, events }).await.unwrap().unwrap()
}

async fn state(fixture: &Fixture, tenant: TenantId, id: ApprovalId) -> ApprovalState {
    let mut reader = fixture.registry.read().await.unwrap();
    find(&mut reader, tenant, id).await.unwrap().state
}

fn signed(number: u128, at: Timestamp) -> Signed {
    Signed {
        by: operator_id(),
        at,
        token: OperationTokenId::new(uuid::Uuid::from_u128(number)),
        expires: at.after(std::time::Duration::from_secs(120)),
        sealed: b"sealed".to_vec(),
        reason: None,
        presence: false,
        breaks_glass: false,
    }
}

async fn kinds(fixture: &Fixture) -> Vec<EventKind> {
    fixture.verified_log().await.iter().map(|entry| entry.event().unwrap().kind).collect()
}

#[tokio::test]
async fn the_same_operation_has_one_live_request_however_often_it_is_filed() {
    let fixture = Fixture::new().await;
    let first = new_approval(A, 50);
    let same = |number: u128| NewApproval {
        operation: first.operation,
        requested: later(2),
        ..new_approval(A, number)
    };
    let filed = file(&fixture, first.clone()).await;
    assert_eq!(filed, Filed { id: first.id, new: true });
    let again = Filed { id: first.id, new: false };
    assert_eq!(file(&fixture, same(51)).await, again, "while it is pending");
    let mut change = fixture.registry.begin().await.unwrap();
    approve(&mut change, A.tenant, first.id, &signed(1, later(10))).await.unwrap();
    change.commit(&[]).await.unwrap();
    assert_eq!(file(&fixture, same(52)).await, again, "while it is approved and unspent");
    assert_eq!(fixture.details().await, ["requested"]);

    let redeem = crate::testing::redeem(A, 1, Some(first.id));
    assert_eq!(fixture.registry.submit(redeem).await.unwrap(), Spend::Spent);
    assert!(file(&fixture, same(53)).await.new, "once it was executed");
}

#[tokio::test]
async fn the_same_operation_in_two_tenants_is_two_requests() {
    let fixture = Fixture::new().await;
    let ours = new_approval(A, 50);
    let theirs = NewApproval { operation: ours.operation, ..new_approval(B, 51) };
    assert!(file(&fixture, ours).await.new);
    assert!(file(&fixture, theirs).await.new);
}

#[tokio::test]
async fn a_request_that_ran_out_unnoticed_does_not_stand_for_a_new_call() {
    let fixture = Fixture::new().await;
    let first = new_approval(A, 50);
    file(&fixture, first.clone()).await;
    let again = NewApproval {
        operation: first.operation,
        requested: first.decide_by,
        decide_by: later(1800),
        ..new_approval(A, 51)
    };
    assert_eq!(file(&fixture, again.clone()).await, Filed { id: again.id, new: true });
    assert_eq!(state(&fixture, A.tenant, first.id).await, ApprovalState::Expired);
    let told = [EventKind::AdminChanged, EventKind::ApprovalExpired, EventKind::AdminChanged];
    assert_eq!(kinds(&fixture).await, told);
}

#[tokio::test]
async fn s07_a_request_whose_parts_are_not_one_anothers_is_not_filed() {
    let fixture = Fixture::new().await;
    let right = new_approval(A, 50);
    let wrong = [
        NewApproval { tenant: B.tenant, ..right.clone() },
        NewApproval { session: B.session, ..right.clone() },
        NewApproval { agent: B.agent, ..right.clone() },
        NewApproval { credential: B.credential, ..right.clone() },
        NewApproval { task: B.task, ..right.clone() },
        NewApproval { server: B.server, ..right.clone() },
        NewApproval { tool: B.tool, ..right.clone() },
        NewApproval { requested: later(3600), ..right.clone() },
    ];
    for request in wrong {
        let filed = fixture
            .registry
            .submit(File { request, most_waiting: 500, events: vec![saying("no")] })
            .await;
        assert!(matches!(filed, Err(RegistryError::NotFound { .. })), "{filed:?}");
    }
    assert!(fixture.verified_log().await.is_empty());
    assert!(file(&fixture, right).await.new);
}

/// What can be done with a request.
#[derive(Clone, Copy, Debug)]
enum Act {
    Approve,
    Deny,
    Withdraw,
}

async fn act(fixture: &Fixture, id: ApprovalId, act: Act, at: Timestamp) -> bool {
    let tenant = A.tenant;
    if let Act::Withdraw = act {
        return fixture.registry.submit(Withdraw { tenant, id, events: vec![] }).await.unwrap();
    }
    let mut change = fixture.registry.begin().await.unwrap();
    let done = match act {
        Act::Approve => approve(&mut change, tenant, id, &signed(id.uuid().as_u128(), at)).await,
        Act::Deny | Act::Withdraw => {
            deny(&mut change, tenant, id, Some(operator_id()), at, "No.").await
        }
    };
    change.commit(&[]).await.unwrap();
    match done {
        Ok(()) => true,
        Err(RegistryError::State { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn o10_a_request_is_decided_once_and_taken_back_only_while_it_can_lead_to_a_call() {
    let fixture = Fixture::new().await;
    let acts = [
        (Act::Approve, ApprovalState::Approved),
        (Act::Deny, ApprovalState::Denied),
        (Act::Withdraw, ApprovalState::Withdrawn),
    ];
    let mut number = 50;
    for (first, becomes) in acts {
        for (second, _) in acts {
            number += 1;
            let request = new_approval(A, number);
            file(&fixture, request.clone()).await;
            assert!(act(&fixture, request.id, first, later(10)).await);
            let given_up = matches!((first, second), (Act::Approve, Act::Withdraw));
            let done = act(&fixture, request.id, second, later(11)).await;
            assert_eq!(done, given_up, "{first:?} {second:?}");
            let becomes = if given_up { ApprovalState::Withdrawn } else { becomes };
            assert_eq!(state(&fixture, A.tenant, request.id).await, becomes);
        }
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_taken_back_any_more_is_not_said_to_have_been() {
    let fixture = Fixture::new().await;
    let request = new_approval(A, 50);
    let (tenant, id) = (request.tenant, request.id);
    file(&fixture, request).await;
    let withdraw = |tenant| Withdraw { tenant, id, events: vec![saying("withdrawn")] };
    assert!(!fixture.registry.submit(withdraw(B.tenant)).await.unwrap(), "another tenant's");
    assert!(fixture.registry.submit(withdraw(tenant)).await.unwrap());
    assert!(!fixture.registry.submit(withdraw(tenant)).await.unwrap());
    assert_eq!(fixture.details().await, ["requested", "withdrawn"]);
}

#[tokio::test]
async fn o10_a_request_cannot_be_approved_once_its_time_is_up() {
    let fixture = Fixture::new().await;
    let request = new_approval(A, 50);
    file(&fixture, request.clone()).await;
    assert!(!act(&fixture, request.id, Act::Approve, request.decide_by).await);
    let just = Timestamp::from_millis(request.decide_by.millis() - 1);
    assert!(act(&fixture, request.id, Act::Approve, just).await);
}

#[tokio::test]
async fn o10_o15_nobody_approves_for_a_session_that_is_over_or_after_being_removed() {
    let fixture = Fixture::new().await;
    let (ours, theirs) = (new_approval(A, 50), new_approval(B, 51));
    let late = NewApproval { decide_by: later(9999), ..new_approval(A, 52) };
    for request in [&ours, &theirs, &late] {
        file(&fixture, request.clone()).await;
    }
    assert!(!act(&fixture, late.id, Act::Approve, later(3600)).await, "its time is up");
    let mut change = fixture.registry.begin().await.unwrap();
    let why = cs_model::state::SessionEnd::Operator;
    crate::session::end(&mut change, A.tenant, A.session, why, later(9)).await.unwrap();
    crate::operator::remove(&mut change, operator_id(), later(9)).await.unwrap();
    change.commit(&[]).await.unwrap();
    assert!(!act(&fixture, ours.id, Act::Approve, later(10)).await, "it was ended");
    let mut change = fixture.registry.begin().await.unwrap();
    let signed = signed(51, later(10));
    let removed = approve(&mut change, B.tenant, theirs.id, &signed).await;
    assert!(matches!(removed, Err(RegistryError::State { .. })), "{removed:?}");
}

#[tokio::test]
async fn the_token_is_kept_only_while_it_can_be_redeemed() {
    let fixture = Fixture::new().await;
    let redeem = fixture.approved(A, 50).await;
    let id = redeem.approval.unwrap();
    let mut reader = fixture.registry.read().await.unwrap();
    let stands = ruling(&mut reader, A.tenant, id).await.unwrap();
    assert_eq!(stands.sealed_tokens, [b"sealed".to_vec()]);
    let theirs = ruling(&mut reader, B.tenant, id).await;
    assert!(matches!(theirs, Err(RegistryError::NotFound { .. })));
    drop(reader);
    fixture.registry.submit(redeem).await.unwrap();
    let mut reader = fixture.registry.read().await.unwrap();
    let stands = ruling(&mut reader, A.tenant, id).await.unwrap();
    assert_eq!((stands.state, stands.sealed_tokens), (ApprovalState::Executed, vec![]));
}

#[tokio::test]
async fn what_nobody_decided_and_what_nobody_redeemed_expires_at_its_time_and_is_told() {
    let fixture = Fixture::new().await;
    let undecided = new_approval(A, 50);
    file(&fixture, undecided.clone()).await;
    let unused = fixture.approved(B, 51).await;
    let unused = (unused.tenant, unused.approval.unwrap());
    let expire = |secs| fixture.registry.submit(Expire { now: later(secs) });
    assert_eq!(expire(129).await.unwrap(), []);
    assert_eq!(expire(130).await.unwrap(), [unused]);
    assert_eq!(expire(899).await.unwrap(), []);
    assert_eq!(expire(900).await.unwrap(), [(A.tenant, undecided.id)]);
    assert_eq!(expire(5000).await.unwrap(), []);
    let log = fixture.verified_log().await;
    let told: Vec<_> = log
        .iter()
        .map(|entry| entry.event().unwrap())
        .filter(|event| event.kind == EventKind::ApprovalExpired)
        .map(|event| (event.approval.unwrap(), event.reason.unwrap()))
        .collect();
    let wanted = [(unused.1, "token_unused".to_owned()), (undecided.id, "undecided".to_owned())];
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn when_a_session_ends_its_open_requests_are_taken_back_approved_ones_too() {
    let fixture = Fixture::new().await;
    let pending = new_approval(A, 50);
    file(&fixture, pending.clone()).await;
    let approved = fixture.approved(A, 51).await;
    let theirs = fixture.approved(B, 52).await;
    let mut change = fixture.registry.begin().await.unwrap();
    let (ids, events) =
        withdraw_of_session(&mut change, A.tenant, A.session, later(12)).await.unwrap();
    change.commit(&events).await.unwrap();
    assert_eq!(ids, [pending.id, approved.approval.unwrap()]);
    assert_eq!(fixture.registry.submit(approved).await.unwrap(), Spend::Refused);
    assert_eq!(fixture.registry.submit(theirs).await.unwrap(), Spend::Spent);
}

#[tokio::test]
async fn lists_are_of_one_tenant_or_of_all_and_in_the_order_that_was_promised() {
    let fixture = Fixture::new().await;
    let mut request = new_approval(A, 50);
    request.decide_by = later(901);
    file(&fixture, request).await;
    file(&fixture, NewApproval { requested: later(2), ..new_approval(B, 51) }).await;
    let denied = NewApproval { requested: later(3), ..new_approval(A, 52) };
    file(&fixture, denied.clone()).await;
    assert!(act(&fixture, denied.id, Act::Deny, later(10)).await);
    let mut db = fixture.registry.read().await.unwrap();
    let numbers = |found: Vec<Approval>| -> Vec<u128> {
        found.iter().map(|it| it.new.id.uuid().as_u128()).collect()
    };
    let pending = [ApprovalState::Pending];
    let both = [ApprovalState::Denied, ApprovalState::Pending];
    for (tenant, states, limit, wanted) in [
        (None, [].as_slice(), 9, [52, 51, 50].as_slice()),
        (None, &[], 2, &[52, 51]),
        (Some(A.tenant), &[], 9, &[52, 50]),
        (Some(A.tenant), &pending, 9, &[50]),
        (Some(A.tenant), &both, 9, &[52, 50]),
        (Some(B.tenant), &both, 9, &[51]),
        (None, &[ApprovalState::Approved], 9, &[]),
    ] {
        let found = list(&mut db, tenant, states, limit).await.unwrap();
        assert_eq!(numbers(found), wanted, "{tenant:?} {states:?}");
    }
    assert_eq!(numbers(waiting(&mut db, None, later(5), 9).await.unwrap()), [51, 50]);
    assert_eq!(numbers(waiting(&mut db, Some(A.tenant), later(5), 9).await.unwrap()), [50]);
    assert_eq!(numbers(waiting(&mut db, None, later(900), 9).await.unwrap()), [50]);
    let found = find(&mut db, A.tenant, denied.id).await.unwrap();
    assert_eq!(found.new, denied);
    assert_eq!((found.agent_name.as_str(), found.task_name.as_str()), ("executor-1", "workbench"));
    assert_eq!((found.server_name.as_str(), found.tool_name.as_str()), ("files", "write_file"));
    assert_eq!(found.decided.unwrap().reason.as_deref(), Some("No."));
}

#[tokio::test]
async fn the_arguments_approved_before_are_the_last_ones_of_this_agent_and_tool() {
    let fixture = Fixture::new().await;
    for (number, at) in [(50, 10), (51, 20), (52, 30)] {
        let request = new_approval(A, number);
        file(&fixture, request.clone()).await;
        let done = if number == 52 { Act::Deny } else { Act::Approve };
        assert!(act(&fixture, request.id, done, later(at)).await);
    }
    let mut db = fixture.registry.read().await.unwrap();
    for (ids, before, wanted) in [
        (A, 99, Some(r#"{"path":"51"}"#)),
        (A, 20, Some(r#"{"path":"50"}"#)),
        (A, 10, None),
        (B, 99, None),
    ] {
        let found =
            previous_arguments(&mut db, ids.tenant, ids.agent, ids.tool, later(before)).await;
        assert_eq!(found.unwrap().as_deref(), wanted, "{before}");
    }
}

#[tokio::test]
async fn the_week_counts_what_was_asked_and_how_it_went() {
    let fixture = Fixture::new().await;
    for (number, done, at) in [
        (50, Some(Act::Approve), 11),
        (51, Some(Act::Deny), 31),
        (52, Some(Act::Approve), 101),
        (53, Some(Act::Withdraw), 5),
        (54, None, 0),
    ] {
        let request = new_approval(A, number);
        file(&fixture, request.clone()).await;
        if let Some(done) = done {
            assert!(act(&fixture, request.id, done, later(at)).await);
        }
    }
    fixture.registry.submit(Expire { now: later(2000) }).await.unwrap();
    let mut db = fixture.registry.read().await.unwrap();
    let found = week(&mut db, Some(A.tenant), later(0)).await.unwrap();
    assert_eq!((found.asked, found.approved, found.denied, found.expired), (5, 2, 1, 1));
    assert_eq!(found.median_seconds, Some(30));
    let by_tool = ToolWeek {
        server_name: "files".to_owned(),
        tool_name: "write_file".to_owned(),
        asked: 5,
        approved: 2,
        denied: 1,
    };
    assert_eq!(found.by_tool, [by_tool]);
    assert_eq!(week(&mut db, None, later(0)).await.unwrap().asked, 5);
    assert_eq!(week(&mut db, Some(B.tenant), later(0)).await.unwrap(), Week::default());
    assert_eq!(week(&mut db, None, later(2)).await.unwrap(), Week::default());
}

/// Attacks O16: however many calls an agent makes at once, from however many sessions, no more of
/// them wait than may, and what waits already is found all the same.
#[tokio::test]
async fn o16_no_more_calls_of_an_agent_wait_than_may() {
    let fixture = Fixture::new().await;
    let submit = async |request: NewApproval| {
        let work = File { request, most_waiting: 3, events: vec![saying("requested")] };
        fixture.registry.submit(work).await.unwrap()
    };
    let mut all = tokio::task::JoinSet::new();
    for number in 60..70 {
        let registry = fixture.registry.clone();
        let events = vec![saying("requested")];
        let work = File { request: new_approval(A, number), most_waiting: 3, events };
        all.spawn(async move { registry.submit(work).await.unwrap() });
    }
    let filed = all.join_all().await;
    assert_eq!(filed.iter().flatten().count(), 3);
    let one = filed.iter().flatten().next().unwrap().id;
    let again = submit(new_approval(A, one.uuid().as_u128())).await.unwrap();
    assert!(!again.new, "it waits already");
    assert!(submit(new_approval(B, 80)).await.is_some(), "another tenant's agent");

    let at = later(2);
    let mut change = fixture.registry.begin().await.unwrap();
    deny(&mut change, A.tenant, again.id, Some(operator_id()), at, "no").await.unwrap();
    change.commit(&[]).await.unwrap();
    assert!(submit(new_approval(A, 71)).await.is_some(), "one was decided");
    assert!(submit(new_approval(A, 72)).await.is_none());
    // Those whose time is up do not wait any more, also where nobody has noticed yet.
    let late = NewApproval { requested: later(901), decide_by: later(1800), ..new_approval(A, 73) };
    assert!(submit(late).await.is_some());
}

#[tokio::test]
async fn what_a_suspended_agent_has_waiting_is_taken_back() {
    let fixture = Fixture::new().await;
    let redeem = fixture.approved(A, 61).await;
    let waits = file(&fixture, new_approval(A, 60)).await.id;
    let theirs = file(&fixture, new_approval(B, 80)).await.id;
    let mut change = fixture.registry.begin().await.unwrap();
    let told = ("agent_suspended", later(3));
    let none = withdraw_where(&mut change, A.tenant, |it| it.agent == B.agent, told).await.unwrap();
    assert_eq!(none, [], "they are another agent's");
    let events =
        withdraw_where(&mut change, A.tenant, |it| it.agent == A.agent, told).await.unwrap();
    change.commit(&events).await.unwrap();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|it| it.reason.as_deref() == Some("agent_suspended")));
    assert_eq!(state(&fixture, A.tenant, waits).await, ApprovalState::Withdrawn);
    assert_eq!(state(&fixture, B.tenant, theirs).await, ApprovalState::Pending);
    assert_eq!(fixture.registry.submit(redeem).await.unwrap(), Spend::Refused);
}

#[tokio::test]
async fn what_became_of_requests_is_counted_by_agent_and_tool_and_tenant() {
    let fixture = Fixture::new().await;
    fixture.approved(A, 60).await;
    let one = file(&fixture, new_approval(A, 61)).await.id;
    let late = file(&fixture, NewApproval { decide_by: later(5), ..new_approval(A, 62) }).await.id;
    file(&fixture, new_approval(A, 63)).await;
    file(&fixture, new_approval(B, 80)).await;
    let mut change = fixture.registry.begin().await.unwrap();
    deny(&mut change, A.tenant, one, None, later(11), "no").await.unwrap();
    change.commit(&[]).await.unwrap();
    let expired = fixture.registry.submit(Expire { now: later(6) }).await.unwrap();
    assert_eq!(expired, [(A.tenant, late)]);
    let mut reader = fixture.registry.read().await.unwrap();
    let ours = stats(&mut reader, Some(A.tenant), later(1)).await.unwrap();
    assert_eq!(ours.len(), 1);
    let (found, dealt) = (&ours[0], &ours[0].dealt);
    assert_eq!((found.agent, found.tool), (A.agent, A.tool));
    let counts = (dealt.asked, dealt.approved, dealt.denied, dealt.expired, dealt.withdrawn);
    assert_eq!(counts, (4, 1, 1, 1, 0), "and one waits");
    assert_eq!((dealt.waits.len(), dealt.percentile(100)), (2, Some(10_000)));
    assert_eq!(stats(&mut reader, None, later(1)).await.unwrap().len(), 2);
    assert_eq!(stats(&mut reader, None, later(2)).await.unwrap(), []);
}

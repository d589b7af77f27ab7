use cs_model::event::{Event, EventKind};

use super::*;
use crate::testing::{A, B, Fixture, later};

fn key(tenant: TenantId, id: &str, state: IssuerKeyState) -> Key {
    let retires = (state == IssuerKeyState::Retiring).then(|| later(900));
    let public_jwk = format!("{{\"kid\":\"{id}\"}}");
    Key { tenant, key_id: id.to_owned(), public_jwk, state, created: later(1), retires }
}

#[tokio::test]
async fn the_next_key_signs_after_it_was_published_and_the_last_one_stays_until_it_is_due() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let states =
        |all: &[Key]| all.iter().map(|it| (it.key_id.clone(), it.state)).collect::<Vec<_>>();
    assert!(advance(&mut db, A.tenant, later(900)).await.is_err());
    for tenant in [A.tenant, B.tenant] {
        add_key(&mut db, &key(tenant, "one", IssuerKeyState::Signing)).await.unwrap();
        let second = key(tenant, "other", IssuerKeyState::Signing);
        assert!(add_key(&mut db, &second).await.is_err());
        add_key(&mut db, &key(tenant, "two", IssuerKeyState::Next)).await.unwrap();
    }
    advance(&mut db, A.tenant, later(900)).await.unwrap();
    let found = keys(&mut db, A.tenant).await.unwrap();
    let (retiring, signing) = (IssuerKeyState::Retiring, IssuerKeyState::Signing);
    assert_eq!(states(&found), [("one".to_owned(), retiring), ("two".to_owned(), signing)]);
    assert_eq!(found[0].retires, Some(later(900)));
    let other = keys(&mut db, B.tenant).await.unwrap();
    assert_eq!(other.first().map(|it| it.state), Some(signing));

    let back = "UPDATE issuer_key SET state = 'next', retires = NULL WHERE key_id = 'one'
                AND retires IS NOT NULL";
    assert!(sqlx::query(back).execute(&mut *db).await.is_err());
    assert!(remove_retired(&mut db, A.tenant, "one", later(899)).await.is_err());
    assert!(remove_retired(&mut db, A.tenant, "two", later(9000)).await.is_err());
    remove_retired(&mut db, A.tenant, "one", later(900)).await.unwrap();
    assert_eq!(remove_keys(&mut db, B.tenant).await.unwrap().len(), 2);
    assert_eq!(all_keys(&mut db).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_issuer_is_set_up_for_one_tenant_and_its_tokens_live_5_to_15_minutes() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    assert_eq!(find(&mut db, A.tenant).await.unwrap(), None);
    let new = Issuer { enabled: true, token_secs: 600 };
    set(&mut db, A.tenant, new).await.unwrap();
    for token_secs in [299, 901] {
        assert!(set(&mut db, A.tenant, Issuer { token_secs, ..new }).await.is_err());
    }
    assert_eq!(find(&mut db, A.tenant).await.unwrap(), Some(new));
    assert_eq!(find(&mut db, B.tenant).await.unwrap(), None);
    remove(&mut db, A.tenant).await.unwrap();
    assert_eq!(find(&mut db, A.tenant).await.unwrap(), None);
}

#[tokio::test]
async fn what_an_issuer_did_is_counted_with_the_event_that_tells_of_it() {
    let fixture = Fixture::new().await;
    let event = |kind, detail: &str| {
        let mut event = Event::new(kind, later(1));
        (event.tenant, event.detail) = (Some(A.tenant), Some(detail.to_owned()));
        event
    };
    let events = vec![
        event(EventKind::IssuerIssued, "a"),
        event(EventKind::IssuerIssued, "b"),
        event(EventKind::IssuerRefused, "c"),
        event(EventKind::AuthnFailed, "client"),
        event(EventKind::AuthnFailed, "token"),
    ];
    fixture.registry.record(events).await.unwrap();
    let mut db = fixture.registry.read().await.unwrap();
    let counted = tally(&mut db, A.tenant, later(2), 24).await.unwrap();
    assert_eq!(counted, Tally { issued: 2, refused: 2 });
    assert_eq!(tally(&mut db, B.tenant, later(2), 24).await.unwrap(), Tally::default());
    let past = later(24 * 3600 + 3600);
    assert_eq!(tally(&mut db, A.tenant, past, 24).await.unwrap(), Tally::default());
    let proofs = crate::audit::proofs(&mut db, A.tenant, later(2), 24).await.unwrap();
    assert!(proofs.iter().any(|it| it.method == "client" && it.count == 1), "{proofs:?}");
}

use cs_model::OperatorId;
use cs_model::state::{KeyEnd, OperatorRole};

use crate::testing::{Fixture, T0, operator_id};
use crate::{RegistryError, operator};

#[tokio::test]
async fn an_operators_past_keys_are_kept_and_never_come_back() {
    let it = Fixture::new().await;
    let at = |secs| T0.after(std::time::Duration::from_secs(secs));
    let mut change = it.registry.begin().await.unwrap();
    operator::set_key(&mut change, operator_id(), [8; 32], at(10), KeyEnd::Rotated).await.unwrap();
    operator::set_key(&mut change, operator_id(), [9; 32], at(20), KeyEnd::Recovered)
        .await
        .unwrap();
    change.commit(&[]).await.unwrap();

    let mut db = it.registry.read().await.unwrap();
    assert_eq!(operator::find(&mut db, operator_id()).await.unwrap().public_key, [9; 32]);
    let past = operator::past_keys(&mut db).await.unwrap();
    let told: Vec<_> =
        past.iter().map(|it| (it.public_key[0], it.since, it.until, it.why)).collect();
    assert_eq!(told, [(8, at(10), at(20), KeyEnd::Recovered), (7, T0, at(10), KeyEnd::Rotated)]);
    assert!(past.iter().all(|it| it.operator == operator_id()));
    drop(db);

    // What an old key signed could otherwise pass for new.
    let mut change = it.registry.begin().await.unwrap();
    let again = operator::set_key(&mut change, operator_id(), [7; 32], at(30), KeyEnd::Rotated);
    again.await.unwrap_err();
    drop(change);
    let mut change = it.registry.begin().await.unwrap();
    sqlx::query("DELETE FROM operator_key").execute(&mut *change).await.unwrap_err();
    drop(change);
    let mut change = it.registry.begin().await.unwrap();
    sqlx::query("UPDATE operator_key SET until = 0").execute(&mut *change).await.unwrap_err();
}

#[tokio::test]
async fn only_an_operator_who_is_here_gets_a_role_or_a_key() {
    let it = Fixture::new().await;
    let mut change = it.registry.begin().await.unwrap();
    operator::set_role(&mut change, operator_id(), OperatorRole::Auditor).await.unwrap();
    let found = operator::find(&mut change, operator_id()).await.unwrap();
    assert_eq!(found.role, OperatorRole::Auditor);
    operator::remove(&mut change, operator_id(), T0).await.unwrap();
    for nobody in [operator_id(), OperatorId::from_random([99; 16])] {
        let role = operator::set_role(&mut change, nobody, OperatorRole::Owner).await;
        assert!(matches!(role, Err(RegistryError::NotFound { .. })), "{role:?}");
        let key = operator::set_key(&mut change, nobody, [8; 32], T0, KeyEnd::Rotated).await;
        assert!(matches!(key, Err(RegistryError::NotFound { .. })), "{key:?}");
    }
}

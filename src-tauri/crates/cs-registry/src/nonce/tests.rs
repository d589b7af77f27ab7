use super::*;
use crate::testing::{A, B, Fixture, later};

fn remember(credential: CredentialId) -> Remember {
    Remember { credential, nonce: "n".repeat(16), until: later(90) }
}

#[tokio::test(flavor = "multi_thread")]
async fn k01_of_a_thousand_concurrent_copies_of_a_request_exactly_one_is_fresh() {
    let fixture = Fixture::new().await;
    let attempts: Vec<_> = (0..1000)
        .map(|_| {
            let registry = fixture.registry.clone();
            tokio::spawn(async move { registry.submit(remember(A.credential)).await.unwrap() })
        })
        .collect();
    let mut fresh = 0;
    for attempt in attempts {
        fresh += usize::from(attempt.await.unwrap() == Nonce::Fresh);
    }
    assert_eq!(fresh, 1);
}

#[tokio::test]
async fn k03_a_nonce_stays_seen_across_a_restart_and_until_its_time() {
    let fixture = Fixture::new().await;
    let seen = |registry: crate::Registry, credential| async move {
        registry.submit(remember(credential)).await.unwrap()
    };
    assert_eq!(seen(fixture.registry.clone(), A.credential).await, Nonce::Fresh);
    fixture.registry.close().await.unwrap();
    let registry = crate::Registry::open(&fixture.path()).await.unwrap();
    assert_eq!(seen(registry.clone(), A.credential).await, Nonce::Seen);
    assert_eq!(seen(registry.clone(), B.credential).await, Nonce::Fresh, "of another credential");
    assert_eq!(registry.submit(Prune { now: later(90) }).await.unwrap(), 0);
    assert_eq!(seen(registry.clone(), A.credential).await, Nonce::Seen);
    assert_eq!(registry.submit(Prune { now: later(91) }).await.unwrap(), 2);
    assert_eq!(seen(registry.clone(), A.credential).await, Nonce::Fresh);
}

#[tokio::test]
async fn a_nonce_of_a_credential_that_is_gone_is_not_fresh() {
    let fixture = Fixture::new().await;
    let gone = fixture.registry.submit(remember(CredentialId::from_random([1; 16]))).await;
    assert!(matches!(gone, Err(RegistryError::NotFound { .. })));
}

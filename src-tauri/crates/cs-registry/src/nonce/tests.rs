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
}

/// The clock runs ahead, what is old by it is forgotten, and then it is set right again.
#[tokio::test]
async fn f02_k04_what_was_forgotten_is_not_fresh_when_the_clock_is_set_back() {
    let mut fixture = Fixture::new().await;
    let with = |nonce: &str, until| Remember {
        credential: A.credential,
        nonce: nonce.repeat(16),
        until: later(until),
    };
    for (nonce, until) in [("a", 90), ("b", 95), ("c", 400)] {
        let first = fixture.registry.submit(with(nonce, until)).await.unwrap();
        assert_eq!(first, Nonce::Fresh);
    }
    for _ in 0..2 {
        fixture.registry.submit(Prune { now: later(100) }).await.unwrap();
    }
    fixture.registry.close().await.unwrap();
    fixture.registry = crate::Registry::open(&fixture.path()).await.unwrap();
    let again = [("a", 90), ("b", 95), ("c", 400), ("d", 95)];
    for (nonce, until) in again {
        let again = fixture.registry.submit(with(nonce, until)).await.unwrap();
        assert_eq!(again, Nonce::Seen, "{nonce}");
    }
    assert_eq!(fixture.registry.submit(with("e", 96)).await.unwrap(), Nonce::Fresh);
    let other = Remember { credential: B.credential, ..with("f", 90) };
    assert_eq!(
        fixture.registry.submit(other).await.unwrap(),
        Nonce::Fresh,
        "of another credential"
    );
}

#[tokio::test]
async fn a_nonce_of_a_credential_that_is_gone_is_not_fresh() {
    let fixture = Fixture::new().await;
    let gone = fixture.registry.submit(remember(CredentialId::from_random([1; 16]))).await;
    assert!(matches!(gone, Err(RegistryError::NotFound { .. })));
}

//! Floods of tokens from one address: nobody else waits for them, and they do not fill the log.

use std::time::Duration;

use super::super::client::raw_from;
use super::*;

/// Another address than the one that the usual client has.
const ELSEWHERE: [u8; 4] = [127, 0, 0, 2];

impl Field {
    async fn with_few_failures(settings: Value) -> Self {
        let stage = Stage::with(|config| {
            (config.limits.failures, config.limits.failures_each_second) = (5, 1);
        });
        Self::on(stage.await, settings).await
    }

    /// The same from elsewhere.
    async fn present_elsewhere(&self, token: &str) -> u16 {
        raw_from(ELSEWHERE, self.stage.gateway.address(), &self.opening(token)).await.status
    }

    fn reasons_of(&self, kind: EventKind) -> Vec<String> {
        self.stage.journal.reasons(kind)
    }
}

/// J20: whoever fails too often is turned away before anything is verified.
#[tokio::test]
async fn j20_a_flood_from_one_address_is_turned_away_and_keeps_nobody_else_waiting() {
    let field = Field::with_few_failures(json!({})).await;
    let known = field.token();
    field.accepted(&known).await;
    let forged = |number: usize| {
        field.by(&Key::new(2), json!({"kid": "key-1"}), json!({"jti": number.to_string()}))
    };
    for number in 0..5 {
        assert_eq!(field.present(&forged(number)).await.status, 401, "{number}");
    }
    for number in 5..50 {
        let reply = field.present(&forged(number)).await;
        assert_eq!((reply.status, reply.header("retry-after")), (429, Some("1")), "{number}");
        assert_eq!(reply.header("www-authenticate"), None);
    }
    assert_eq!(field.reasons_of(EventKind::AuthnFailed), ["jwt_signature_wrong"; 5]);
    assert_eq!(field.reasons_of(EventKind::RequestRefused), ["too_many_failures"]);

    // A token that was good lately and a key go on; what is new there waits, elsewhere it does not.
    field.accepted(&known).await;
    assert_eq!(field.stage.client(WORKER).post(INITIALIZE).await.status, 200);
    let new = field.of(json!({"jti": "new"}));
    assert_eq!(field.present(&new).await.status, 429);
    assert_eq!(field.present_elsewhere(&new).await, 200);
    assert_eq!(field.present_elsewhere(&forged(50)).await, 401);

    field.stage.journal.pass(Duration::from_secs(1));
    let another = field.of(json!({"jti": "another"}));
    assert_eq!(field.present(&another).await.status, 200, "one may be looked at again");
    assert_eq!(field.present(&forged(51)).await.status, 401);
    assert_eq!(field.present(&forged(52)).await.status, 429);
    // Of all who were turned away there is a count.
    field.stage.journal.pass(Duration::from_secs(60));
    crate::authn::tell_of_strangers(&field.stage.gateway.gate).await;
    let refused = field.stage.journal.events();
    let told = refused.iter().filter(|it| it.kind == EventKind::RequestRefused);
    let told: Vec<_> = told.map(|it| it.detail.clone().unwrap()).collect();
    let words = "from this address, without being looked at";
    assert_eq!(told, [format!("1 {words}"), format!("46 {words}")]);
}

/// J20: whatever it tries, a failure counts, and a token that was good once is not good for ever.
#[tokio::test]
async fn j20_every_kind_of_failure_counts_and_a_token_that_fails_is_a_stranger_again() {
    let field = Field::with_few_failures(json!({})).await;
    let known = field.token();
    field.accepted(&known).await;
    field.change(|world| {
        let mut revocations = crate::world::Revocations::clone(&world.revocations);
        let what = cs_model::revocation::Revoked::Token {
            issuer: field.idp.issuer(),
            id: "canary-jti".to_owned(),
        };
        revocations.insert(tenant(ACME), what);
        world.revocations = Arc::new(revocations);
    });
    assert_eq!(field.present(&known).await.status, 401);
    assert_eq!(field.send(&[]).await.status, 401);
    assert_eq!(field.send(&[("authorization", "Basic x")]).await.status, 401);
    assert_eq!(field.send(&[("signature-input", "x"), ("signature", "x")]).await.status, 401);
    assert_eq!(field.present("x.y.z").await.status, 401);
    for headers in [&[][..], &[("authorization", "Basic x")]] {
        assert_eq!(field.send(headers).await.status, 429);
    }
    assert_eq!(field.present(&known).await.status, 429);
    assert_eq!(field.reasons_of(EventKind::AuthnFailed).len(), 5);
}

/// J20: strangers from one address do not take all the places of those for whom providers are
/// asked.
#[tokio::test]
async fn j20_strangers_do_not_keep_a_provider_too_busy_for_others() {
    let field = Field::new().await;
    let asking = json!({"introspection": {
        "endpoint": format!("http://{}/introspect", field.idp.address),
        "client_id": "gateway", "secret": "idp", "when": "always",
    }});
    field.trust(asking, |_| {});
    let mut said = field.claims();
    said["active"] = true.into();
    field.idp.behave().introspection = Answer::ok(said);
    assert_eq!(field.present("opaque-and-known").await.status, 200);
    field.idp.behave().introspection.delay = Duration::from_millis(1500);
    let address = field.stage.gateway.address();
    let sent = (0..100).map(|number| {
        let bytes = field.opening(&format!("opaque-{number}"));
        tokio::spawn(async move { raw(address, &bytes).await.status })
    });
    let sent: Vec<_> = sent.collect();
    while field.idp.peak() < 16 {
        tokio::task::yield_now().await;
    }
    let (known, elsewhere) =
        tokio::join!(field.present("opaque-and-known"), field.present_elsewhere("opaque"));
    assert_eq!((known.status, elsewhere), (200, 200));
    for reply in sent {
        assert!([200, 503].contains(&reply.await.unwrap()));
    }
    assert!(field.idp.peak() <= 18, "{}", field.idp.peak());
}

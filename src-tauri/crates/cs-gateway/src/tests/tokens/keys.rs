//! The keys of a provider: fetched, kept, changed, poisoned and out of reach.

use std::time::Duration;

use super::super::idp::{set, text};
use super::*;
use crate::issuers::ProviderStanding;

const SECOND: Duration = Duration::from_secs(1);

impl Field {
    fn pass(&self, secs: u32) {
        self.stage.journal.pass(SECOND * secs);
    }

    /// A token that is good for a minute from now on.
    fn fresh(&self, key: &Key) -> String {
        let now = self.stage.journal.time().secs();
        self.by(key, json!({}), json!({"iat": now, "nbf": now, "exp": now + 60}))
    }

    fn fetches(&self) -> usize {
        self.idp.asked("/jwks")
    }

    /// Waits until the keys were fetched so often.
    async fn fetched(&self, times: usize) {
        let attempt = async {
            while self.fetches() < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(10 * SECOND, attempt).await.expect("a fetch");
    }

    fn standing(&self) -> ProviderStanding {
        self.stage.gateway.provider_status(tenant(ACME), provider_id()).standing
    }

    /// Waits until the provider stands so.
    async fn stands(&self, standing: ProviderStanding) {
        let attempt = async {
            while self.standing() != standing {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let stood = tokio::time::timeout(10 * SECOND, attempt).await;
        stood.unwrap_or_else(|_| panic!("{:?} instead of {standing:?}", self.standing()));
    }

    fn told(&self, kind: EventKind) -> Vec<String> {
        let events = self.stage.journal.events();
        let of_kind = events.into_iter().filter(|event| event.kind == kind);
        of_kind.map(|event| event.detail.unwrap_or_default()).collect()
    }
}

/// J20: whatever comes, the keys are fetched once in thirty seconds for it.
#[tokio::test]
async fn j20_a_flood_of_unknown_keys_has_the_keys_fetched_once_in_thirty_seconds() {
    let field = Field::new().await;
    field.accepted(&field.fresh(&field.key)).await;
    let other = Key::new(2);
    let flood = |from: u32| {
        let sent = (0..50).map(|at| {
            let kid = json!({"kid": format!("random-{}", from + at)});
            let now = field.stage.journal.time().secs();
            let times = json!({"iat": now, "nbf": now, "exp": now + 60});
            let token = field.by(&other, kid, times);
            let client = field.client();
            let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
            let bytes = client.bytes("POST", &headers, INITIALIZE.as_bytes());
            let address = field.stage.gateway.address();
            tokio::spawn(async move { raw(address, &bytes).await.status })
        });
        sent.collect::<Vec<_>>()
    };
    for (round, fetches) in [(0, 2), (1, 2), (2, 2), (3, 3)] {
        for reply in flood(round * 50) {
            assert_eq!(reply.await.unwrap(), 401);
        }
        assert_eq!(field.fetches(), fetches, "round {round}");
        field.pass(10);
    }
    // Whoever has a good token does not notice.
    field.accepted(&field.fresh(&field.key)).await;
}

#[tokio::test]
async fn j20_a_key_that_was_not_found_stays_unknown_for_a_while() {
    let field = Field::new().await;
    let other = Key::new(2);
    field.accepted(&field.fresh(&field.key)).await;
    for _ in 0..4 {
        field.refused(&field.fresh(&other), "jwt_key_unknown").await;
        field.pass(31);
    }
    assert_eq!(field.fetches(), 2, "it is not asked for again and again");
}

/// J20: a token of somebody unknown costs no connection at all.
#[tokio::test]
async fn j20_tokens_of_other_issuers_have_nothing_fetched() {
    let field = Field::new().await;
    for number in 0..20 {
        let token = field.of(json!({"iss": format!("https://evil-{number}.example")}));
        field.refused(&token, "issuer_unknown").await;
    }
    assert_eq!(field.idp.asked(""), 0);
}

#[tokio::test]
async fn j21_keys_are_changed_without_a_request_being_refused() {
    let field = Field::new().await;
    let (old, new) = (&field.key, Key::new(2));
    field.accepted(&field.fresh(old)).await;
    // A client has a token by the new key before the gateway has heard of it; many at a time.
    field.idp.publish(&[old, &new]);
    let sent = (0..30).map(|at| {
        let token = field.fresh(if at % 2 == 0 { old } else { &new });
        let client = field.client();
        let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
        let bytes = client.bytes("POST", &headers, INITIALIZE.as_bytes());
        let address = field.stage.gateway.address();
        tokio::spawn(async move { raw(address, &bytes).await.status })
    });
    for reply in sent.collect::<Vec<_>>() {
        assert_eq!(reply.await.unwrap(), 200);
    }
    assert_eq!(field.fetches(), 2);
    assert_eq!(field.told(EventKind::ProviderKeysChanged), ["idp: new: key-2"]);
    let keys = field.stage.gateway.provider_status(tenant(ACME), provider_id()).keys;
    let keys: Vec<_> = keys.iter().map(|key| key.key_id.clone().unwrap()).collect();
    assert_eq!(keys, ["key-1", "key-2"]);
}

/// J21: a key that is gone is gone at the next refresh, for tokens that are known as well.
#[tokio::test]
async fn j21_a_key_that_was_removed_does_not_count_after_the_refresh() {
    let field = Field::new().await;
    let token = field.token();
    field.accepted(&token).await;
    let new = Key::new(2);
    field.idp.publish(&[&new]);
    field.pass(299);
    field.accepted(&token).await;
    assert_eq!(field.fetches(), 1, "it is not due yet");
    field.pass(1);
    field.accepted(&token).await;
    field.fetched(2).await;
    while field.told(EventKind::ProviderKeysChanged).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    field.refused(&token, "jwt_key_unknown").await;
    field.accepted(&field.fresh(&new)).await;
}

/// J21: a key under the same id is another key.
#[tokio::test]
async fn j21_a_key_that_was_replaced_does_not_count() {
    let field = Field::new().await;
    let token = field.token();
    field.accepted(&token).await;
    let mut new = Key::new(2);
    new.id = field.key.id.clone();
    field.idp.publish(&[&new]);
    field.stage.gateway.provider_refresh(tenant(ACME), provider_id()).await.unwrap();
    field.refused(&token, "jwt_signature_wrong").await;
    let told = field.told(EventKind::ProviderKeysChanged);
    assert!(told.is_empty(), "{told:?}: the journal was cleared");
    field.accepted(&field.fresh(&new)).await;
}

#[tokio::test]
async fn j22_without_keys_nobody_can_tell() {
    let field = Field::new().await;
    field.idp.behave().jwks = Answer::status(500, "");
    let reply = field.present(&field.token()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    assert_eq!(reply.header("www-authenticate"), None);
    let reasons = field.stage.journal.reasons(EventKind::AuthnFailed);
    assert_eq!(reasons, ["provider_unreachable"]);
    assert_eq!(field.told(EventKind::ProviderUnreachable), ["idp: it answered 500"]);
    assert_eq!(field.standing(), ProviderStanding::Refusing);
    // It is not asked by everybody.
    for _ in 0..5 {
        assert_eq!(field.present(&field.token()).await.status, 503);
    }
    assert_eq!(field.fetches(), 1);
    field.idp.publish(&[&field.key]);
    field.pass(5);
    field.accepted(&field.token()).await;
    assert_eq!(field.standing(), ProviderStanding::Fresh);
    assert_eq!(field.told(EventKind::ProviderRecovered), ["idp"]);
}

/// J22: known keys are used for as long as the settings say, and then no longer.
#[tokio::test]
async fn j22_in_an_outage_known_keys_are_used_up_to_the_limit() {
    let field = Field::new().await;
    field.accepted(&field.fresh(&field.key)).await;
    field.idp.behave().jwks = Answer::status(503, "");
    field.pass(60);
    field.accepted(&field.fresh(&field.key)).await;
    field.pass(240);
    field.accepted(&field.fresh(&field.key)).await;
    field.stands(ProviderStanding::Cached).await;
    field.pass(299);
    field.accepted(&field.fresh(&field.key)).await;
    assert_eq!(field.told(EventKind::ProviderUnreachable).len(), 1, "an outage begins once");
    field.pass(1);
    let token = field.fresh(&field.key);
    assert_eq!(field.present(&token).await.status, 503);
    field.stands(ProviderStanding::Refusing).await;
    field.pass(51 * 60);
    assert_eq!(field.present(&field.fresh(&field.key)).await.status, 503);
    field.idp.publish(&[&field.key]);
    field.pass(6);
    field.accepted(&field.fresh(&field.key)).await;
    assert_eq!(field.told(EventKind::ProviderRecovered).len(), 1);
}

/// J22: what a person has to sign for is not done while nobody knows what was withdrawn.
#[tokio::test]
async fn j22_in_an_outage_nothing_is_put_before_a_person() {
    let field = Field::new().await;
    field.accepted(&field.fresh(&field.key)).await;
    field.idp.behave().jwks = Answer::status(503, "");
    field.pass(300);
    let token = field.fresh(&field.key);
    field.accepted(&token).await;
    field.stands(ProviderStanding::Cached).await;
    assert_eq!(field.call(&token, "read_file").await.text(), "done");
    let reply = field.call(&token, "write_file").await;
    assert_eq!(reply.status, 503);
    let reasons = field.stage.journal.reasons(EventKind::Decision);
    assert_eq!(reasons.last().map(String::as_str), Some("provider_unreachable"));
}

/// J22: an outage that is over is not waited out.
#[tokio::test]
async fn j22_an_outage_that_is_over_is_noticed_at_the_next_attempt() {
    let field = Field::new().await;
    field.accepted(&field.token()).await;
    field.idp.behave().jwks = Answer::status(500, "");
    let gateway = &field.stage.gateway;
    let status = gateway.provider_refresh(tenant(ACME), provider_id()).await.unwrap();
    assert_eq!(status.standing, ProviderStanding::Cached);
    assert_eq!(status.failing_since, Some(field.stage.journal.time()));
    field.idp.publish(&[&field.key]);
    field.pass(5);
    field.accepted(&field.token()).await;
    field.stands(ProviderStanding::Fresh).await;
    assert_eq!(field.told(EventKind::ProviderRecovered).len(), 1);
}

/// J19: what is published to do harm does none.
#[tokio::test]
async fn j19_keys_that_cannot_be_used_replace_no_good_ones() {
    let field = Field::new().await;
    field.accepted(&field.token()).await;
    let good = field.key.jwk();
    let with = |changes: Value| {
        let mut key = good.clone();
        merge(&mut key, changes);
        json!({"keys": [key]}).to_string()
    };
    let many: Vec<_> = (0..101)
        .map(|at| {
            let mut key = good.clone();
            key["kid"] = format!("k{at}").into();
            key
        })
        .collect();
    let twice = json!({"keys": [good, good]}).to_string();
    let poisons = [
        json!({"keys": [{"kty": "oct", "kid": "key-1", "k": "c2VjcmV0"}]}).to_string(),
        with(json!({"use": "enc"})),
        with(json!({"key_ops": ["encrypt"]})),
        with(json!({"alg": "RS256"})),
        with(json!({"d": "c2VjcmV0"})),
        with(json!({"x": text([0; 32])})),
        with(json!({"kty": "RSA", "n": text([1; 64]), "e": "AQAB"})),
        json!({"keys": []}).to_string(),
        json!({"keys": many}).to_string(),
        twice,
        "<html>".to_owned(),
        "[]".to_owned(),
        format!("{{\"keys\":[],\"keys\":[{good}]}}"),
        format!("{{\"keys\":[{good}],\"x\":\"{}\"}}", "x".repeat(300_000)),
    ];
    for poison in poisons {
        field.idp.behave().jwks = Answer::ok(&poison);
        let gateway = &field.stage.gateway;
        let status = gateway.provider_refresh(tenant(ACME), provider_id()).await.unwrap();
        assert_eq!(status.standing, ProviderStanding::Cached, "{poison:.80}");
        assert!(status.last_error.is_some(), "{poison:.80}");
        field.accepted(&field.token()).await;
    }
    field.idp.behave().jwks = Answer::ok(json!({"keys": [
        good, {"kty": "oct", "kid": "mac", "k": "c2VjcmV0"},
    ]}));
    let gateway = &field.stage.gateway;
    let status = gateway.provider_refresh(tenant(ACME), provider_id()).await.unwrap();
    assert_eq!(status.standing, ProviderStanding::Fresh);
    assert_eq!(status.ignored[0].key_id.as_deref(), Some("mac"));
}

/// J23: nobody is sent anywhere else.
#[tokio::test]
async fn j23_a_redirect_is_not_followed() {
    let field = Field::new().await;
    let elsewhere = Idp::start(&[&field.key]).await;
    let mut redirect = Answer::status(302, "");
    redirect.headers = format!("location: http://{}/jwks\r\n", elsewhere.address);
    field.idp.behave().jwks = redirect;
    assert_eq!(field.present(&field.token()).await.status, 503);
    assert_eq!(elsewhere.asked(""), 0);
    let mut coded = Answer::ok(set(&[&field.key]));
    coded.headers = "content-encoding: gzip\r\n".to_owned();
    field.idp.behave().jwks = coded;
    field.pass(5);
    assert_eq!(field.present(&field.token()).await.status, 503);
}

/// J23: an address inside is reached only where that was chosen.
#[tokio::test]
async fn j23_a_provider_inside_is_not_reached_unless_that_was_chosen() {
    let field = Field::with(json!({"private_network": false})).await;
    assert_eq!(field.present(&field.token()).await.status, 503);
    let port = field.idp.address.port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        field.trust(
            json!({
                "private_network": false, "jwks_uri": format!("https://{host}:{port}/jwks"),
            }),
            |_| {},
        );
        assert_eq!(field.present(&field.token()).await.status, 503, "{host}");
    }
    assert_eq!(field.idp.asked(""), 0);
}

/// A provider that says nothing holds nobody up for long, and one flight is enough.
#[tokio::test]
async fn j22_those_who_wait_for_the_keys_wait_together() {
    let field = Field::new().await;
    field.idp.behave().jwks.delay = Duration::from_millis(300);
    let sent = (0..20).map(|_| {
        let client = field.client();
        let headers = [("authorization".to_owned(), format!("Bearer {}", field.token()))];
        let bytes = client.bytes("POST", &headers, INITIALIZE.as_bytes());
        let address = field.stage.gateway.address();
        tokio::spawn(async move { raw(address, &bytes).await.status })
    });
    for reply in sent.collect::<Vec<_>>() {
        assert_eq!(reply.await.unwrap(), 200);
    }
    assert_eq!(field.fetches(), 1);
}

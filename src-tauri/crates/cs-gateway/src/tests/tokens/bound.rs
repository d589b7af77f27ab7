//! Tokens that are bound to a key or a certificate.

use cs_model::Digest;
use http::{HeaderMap, HeaderValue};

use super::super::idp::text;
use super::super::pki::{Scene, leaf};
use super::*;
use crate::authn::{Letter, identify};
use crate::trail::Trail;

/// The key of a client, which signs proofs.
struct Prover(Key);

impl Prover {
    fn new(number: u8) -> Self {
        Self(Key::new(number))
    }

    fn jwk(&self) -> Value {
        let x = self.0.jwk()["x"].clone();
        json!({"crv": "Ed25519", "kty": "OKP", "x": x})
    }

    fn thumbprint(&self) -> String {
        let x = self.jwk()["x"].as_str().unwrap().to_owned();
        let form = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
        text(Digest::of(form.as_bytes()).as_bytes())
    }

    fn proof(&self, field: &Field, token: &str, header: Value, changes: Value) -> String {
        let mut head = json!({"alg": "EdDSA", "typ": "dpop+jwt", "jwk": self.jwk()});
        merge(&mut head, header);
        let ath = text(Digest::of(token.as_bytes()).as_bytes());
        let mut claims = json!({
            "jti": super::super::client::nonce(), "htm": "POST", "htu": field.resource(),
            "iat": NOW, "ath": ath,
        });
        merge(&mut claims, changes);
        self.0.sign(&head.to_string(), &claims.to_string())
    }
}

impl Field {
    fn bound(&self, prover: &Prover) -> String {
        self.of(json!({"cnf": {"jkt": prover.thumbprint()}}))
    }

    async fn prove(&self, token: &str, proof: &str) -> Reply {
        let authorization = format!("DPoP {token}");
        self.send(&[("authorization", &authorization), ("dpop", proof)]).await
    }
}

#[tokio::test]
async fn j27_a_token_that_is_bound_to_a_key_needs_a_proof_of_it_each_time() {
    let field = Field::new().await;
    let (own, other) = (Prover::new(3), Prover::new(4));
    let token = field.bound(&own);
    let proof = |header: Value, changes: Value| own.proof(&field, &token, header, changes);
    let good = proof(json!({}), json!({}));
    assert_eq!(field.prove(&token, &good).await.status, 200);
    assert_eq!(field.prove(&token, &proof(json!({}), json!({}))).await.status, 200);
    let elsewhere = format!("http://{}/t/acme/mcp", field.client().host());
    let cases = [
        ("replay", good),
        ("dpop_key_mismatch", other.proof(&field, &token, json!({}), json!({}))),
        ("dpop_method_mismatch", proof(json!({}), json!({"htm": "GET"}))),
        ("dpop_url_mismatch", proof(json!({}), json!({"htu": elsewhere}))),
        ("dpop_token_mismatch", proof(json!({}), json!({"ath": text([0; 32])}))),
        ("dpop_token_mismatch", proof(json!({}), json!({"ath": Value::Null}))),
        ("dpop_stale", proof(json!({}), json!({"iat": NOW - 61}))),
        ("dpop_stale", proof(json!({}), json!({"iat": NOW + 61}))),
        ("dpop_id_invalid", proof(json!({}), json!({"jti": Value::Null}))),
        ("dpop_body_mismatch", proof(json!({}), json!({"content_digest": text([0; 32])}))),
        ("dpop_algorithm_refused", proof(json!({"alg": "none"}), json!({}))),
        ("dpop_algorithm_refused", proof(json!({"alg": "HS256"}), json!({}))),
        ("dpop_type_refused", proof(json!({"typ": "JWT"}), json!({}))),
        ("dpop_key_refused", proof(json!({"jwk": {"kty": "oct", "k": "AA"}}), json!({}))),
        ("dpop_malformed", "x".to_owned()),
    ];
    for (reason, proof) in cases {
        field.stage.journal.forget();
        let reply = field.prove(&token, &proof).await;
        field.is_refusal(&reply, &token, reason).await;
    }
    let digest = text(Digest::of(INITIALIZE.as_bytes()).as_bytes());
    let covered = proof(json!({}), json!({"content_digest": digest}));
    assert_eq!(field.prove(&token, &covered).await.status, 200);
}

#[tokio::test]
async fn j27_a_binding_cannot_be_stripped() {
    let field = Field::new().await;
    let own = Prover::new(3);
    let token = field.bound(&own);
    field.refused(&token, "proof_missing").await;
    let proof = own.proof(&field, &token, json!({}), json!({}));
    let cases: Vec<(&str, String, Vec<&str>)> = vec![
        ("proof_missing", format!("Bearer {token}"), vec![&proof]),
        ("proof_missing", format!("DPoP {token}"), vec![]),
        ("several_proofs", format!("DPoP {token}"), vec![&proof, &proof]),
        ("token_not_bound", format!("DPoP {}", field.token()), vec![&proof]),
    ];
    for (reason, authorization, proofs) in cases {
        field.stage.journal.forget();
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(proofs.into_iter().map(|proof| ("dpop", proof)));
        let reply = field.send(&headers).await;
        field.is_refusal(&reply, &token, reason).await;
    }
    field.refused(&field.of(json!({"cnf": {"kid": "x"}})), "jwt_confirmation_invalid").await;
}

#[tokio::test]
async fn j27_a_provider_may_want_its_tokens_bound() {
    let field = Field::with(json!({"sender": "dpop"})).await;
    field.refused(&field.token(), "token_not_bound").await;
    let own = Prover::new(3);
    let token = field.bound(&own);
    let proof = own.proof(&field, &token, json!({}), json!({}));
    assert_eq!(field.prove(&token, &proof).await.status, 200);
    field.trust(json!({"sender": "certificate"}), |_| {});
    let proof = own.proof(&field, &token, json!({}), json!({}));
    let reply = field.prove(&token, &proof).await;
    assert_eq!(reply.status, 401);
}

/// The outcome of a request on a connection with this certificate.
async fn on_connection(field: &Field, token: &str, certificate: Option<Digest>) -> Option<String> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    headers.insert("authorization", value);
    let gate = &field.stage.gateway.gate;
    let mut trail = Trail::new(gate.correlation().unwrap(), String::new());
    let (client, resource) = (field.client(), field.resource());
    let letter = Letter {
        method: "POST",
        path: &client.path,
        headers: &headers,
        body: b"",
        tenant: "acme",
        resource: &resource,
        from: [127, 0, 0, 1].into(),
        certificate,
        peer: None,
    };
    field.stage.journal.forget();
    let presented = identify(gate, letter, &mut trail).await;
    trail.settle(&gate.ports).await.unwrap();
    let reasons = field.stage.journal.reasons(EventKind::AuthnFailed);
    assert_eq!(presented.is_ok(), reasons.is_empty());
    reasons.into_iter().next()
}

#[tokio::test]
async fn j27_a_token_that_is_bound_to_a_certificate_needs_it_on_the_connection() {
    let field = Field::new().await;
    let (own, other) = (Digest::of(b"own"), Digest::of(b"other"));
    let bound = field.of(json!({"cnf": {"x5t#S256": text(own.as_bytes())}}));
    let reason = |text: &str| Some(text.to_owned());
    assert_eq!(on_connection(&field, &bound, Some(own)).await, None);
    for certificate in [None, Some(other)] {
        let refused = on_connection(&field, &bound, certificate).await;
        assert_eq!(refused, reason("certificate_binding"));
    }
    field.trust(json!({"sender": "certificate"}), |_| {});
    assert_eq!(on_connection(&field, &bound, Some(own)).await, None);
    let unbound = field.token();
    assert_eq!(on_connection(&field, &unbound, Some(own)).await, reason("token_not_bound"));
}

/// A certificate that the token is not bound to has to be the same agent's.
#[tokio::test]
async fn a_certificate_beside_a_token_is_of_the_same_agent() {
    let field = Field::new().await;
    let (own, others) = (Digest::of(b"own"), Digest::of(b"others"));
    field.change(|world| {
        let mut credentials = Credentials::clone(&world.credentials);
        for (number, fingerprint, of) in [(8000, own, WORKER), (8001, others, OTHER)] {
            let mut holder = credentials.holder(credential(SUBJECT)).unwrap().clone();
            (holder.credential, holder.agent) = (credential(number), agent(of));
            credentials.insert(holder, Recognised::Certificate { fingerprint });
        }
        world.credentials = Arc::new(credentials);
    });
    let token = field.token();
    assert_eq!(on_connection(&field, &token, Some(own)).await, None);
    for certificate in [others, Digest::of(b"unknown")] {
        let refused = on_connection(&field, &token, Some(certificate)).await;
        assert_eq!(refused.as_deref(), Some("certificate_of_another"));
    }
}

/// The same over TLS, with certificates that handshakes were made with.
#[tokio::test]
async fn j27_m13_over_tls_a_token_is_worth_nothing_without_the_certificate_it_is_bound_to() {
    let (field, scene) = (Field::new().await, Scene::new().await);
    scene.stage.world.send_replace(Arc::clone(&field.stage.world.borrow()));
    let own = scene.worker();
    let renewed = leaf(&scene.pki.acme, "acme", "worker-1");
    let client = scene.stage.client(WORKER);
    let audience = format!("https://{}{}", client.host(), client.path);
    let mark = text(own.fingerprint.as_bytes());
    let bound = field.of(json!({"aud": audience, "cnf": {"x5t#S256": mark}}));
    let free = field.of(json!({"aud": audience}));
    let cases = [
        (Some(&own), &bound, None),
        (None, &bound, Some("certificate_binding")),
        (Some(&renewed), &bound, Some("certificate_binding")),
        (None, &free, None),
        (Some(&own), &free, None),
        (Some(&renewed), &free, Some("certificate_of_another")),
    ];
    for (certificate, token, refused) in cases {
        scene.stage.journal.forget();
        let mut talk = scene.connect(certificate).await;
        let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
        let reply = talk.ask(&client.bytes("POST", &headers, INITIALIZE.as_bytes())).await;
        let reasons = scene.stage.journal.reasons(EventKind::AuthnFailed);
        assert_eq!(reply.status, if refused.is_some() { 401 } else { 200 }, "{reasons:?}");
        assert_eq!(reasons.first().map(String::as_str), refused);
    }
}

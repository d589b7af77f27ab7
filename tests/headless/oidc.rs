//! What `oidc-provider` can do besides signed tokens: opaque ones, such that are bound to a key or a
//! certificate, keys that go, and an end without notice.

use countersign_tests::agent::Agent;
use http::StatusCode;
use serde_json::{Value, json};

use crate::certificates::Scene;
use crate::place::Place;
use crate::provider::{Provider, status};

/// What the endpoint answers to a request for its tools with these headers.
async fn listed(place: &Place, headers: &[(&str, &str)]) -> StatusCode {
    let agent = Agent::with_headers(&place.endpoint(), headers);
    agent.request("tools/list", json!({})).await.0
}

async fn bearer(place: &Place, token: &str) -> StatusCode {
    listed(place, &[("authorization", &format!("Bearer {token}"))]).await
}

/// Demands that a token is refused, and for this reason.
async fn refused(place: &Place, headers: &[(&str, &str)], reason: &str) {
    assert_eq!(listed(place, headers).await, StatusCode::UNAUTHORIZED, "{reason}");
    assert_eq!(place.reasons("authn.failed").await.first().map(String::as_str), Some(reason));
}

/// The tool that reads files, called with this token: the status, and the answer.
async fn read(place: &Place, token: &str) -> (StatusCode, Value) {
    let arguments = json!({"name": "read_file", "arguments": {"path": "notes/welcome.md"}});
    Agent::with_token(&place.endpoint(), token).request("tools/call", arguments).await
}

#[tokio::test(flavor = "multi_thread")]
async fn j18_opaque_tokens_are_what_their_provider_says_and_nothing_while_it_is_gone() {
    let place = Place::starter().await;
    let mut provider = Provider::with(&place, &["executor"], json!({"opaque": true})).await;
    place.secret("idp", provider.secret("gateway")).await;
    let endpoint = format!("{}/token/introspection", provider.issuer());
    let asking = ["--introspection", &endpoint, "--introspection-client", "gateway"];
    let always = ["--introspection-secret", "idp", "--introspection-when", "always"];
    provider.introduce_with(&place, &[asking, always].concat()).await;
    let token = provider.token(&place, "mcp:connect").await;
    assert!(!token.contains('.'), "{token}");
    let (code, answer) = read(&place, &token).await;
    assert!(code == StatusCode::OK && answer.to_string().contains("Welcome"), "{answer}");
    let made_up = [("authorization", "Bearer made-up-by-somebody")];
    refused(&place, &made_up, "token_inactive").await;

    provider.tell(&format!("revoke {token}")).await;
    let withdrawn = format!("Bearer {token}");
    refused(&place, &[("authorization", &withdrawn)], "token_inactive").await;
    let asked = status(&place).await["introspection"].clone();
    assert_eq!((&asked["failing_since"], asked["asked"].as_u64() > Some(2)), (&Value::Null, true));

    let token = provider.token(&place, "mcp:connect").await;
    assert_eq!(bearer(&place, &token).await, StatusCode::OK);
    provider.kill().await;
    assert_eq!(bearer(&place, &token).await, StatusCode::SERVICE_UNAVAILABLE);
    let reasons = place.reasons("authn.failed").await;
    assert_eq!(reasons.first().map(String::as_str), Some("introspection_failed"));
    assert!(status(&place).await["introspection"]["failing_since"].is_string());
    assert_eq!(place.lines(&["audit", "list", "--kind", "provider.unreachable"]).await.len(), 1);
    provider.again().await;
    let token = provider.token(&place, "mcp:connect").await;
    assert_eq!(bearer(&place, &token).await, StatusCode::OK);
    assert_eq!(place.lines(&["audit", "list", "--kind", "provider.recovered"]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn j27_a_token_bound_to_a_key_needs_a_new_proof_for_each_request() {
    let place = Place::starter().await;
    let mut provider = Provider::start(&place, &["executor"]).await;
    provider.introduce_with(&place, &["--sender", "dpop"]).await;
    let url = place.endpoint();
    let token = provider.token_by(&format!("dpop {url} mcp:connect")).await;
    let other = provider.token_by(&format!("dpop {url} mcp:connect")).await;
    let mut proof = async |method: &str, url: &str, token: &str| {
        let answer = provider.tell(&format!("proof {method} {url} {token}")).await;
        answer["proof"].as_str().expect("a proof").to_owned()
    };
    let bound = format!("DPoP {token}");
    let first = proof("POST", &url, &token).await;
    let whole = [("authorization", bound.as_str()), ("dpop", &first)];
    assert_eq!(listed(&place, &whole).await, StatusCode::OK);
    refused(&place, &whole, "replay").await;
    refused(&place, &whole[..1], "proof_missing").await;
    let plain = format!("Bearer {token}");
    refused(&place, &[("authorization", &plain), ("dpop", &first)], "proof_missing").await;
    let wrong = [
        ("dpop_method_mismatch", proof("GET", &url, &token).await),
        ("dpop_url_mismatch", proof("POST", &format!("{url}/"), &token).await),
        ("dpop_token_mismatch", proof("POST", &url, &other).await),
    ];
    for (reason, proof) in &wrong {
        refused(&place, &[("authorization", &bound), ("dpop", proof)], reason).await;
    }
    let second = proof("POST", &url, &token).await;
    let whole = [("authorization", bound.as_str()), ("dpop", &second)];
    assert_eq!(listed(&place, &whole).await, StatusCode::OK);

    let unbound = provider.token(&place, "mcp:connect").await;
    let unbound = format!("Bearer {unbound}");
    refused(&place, &[("authorization", &unbound)], "token_not_bound").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j27_a_token_bound_to_a_certificate_is_worth_nothing_without_it() {
    let scene = Scene::new().await;
    let place = &scene.place;
    let reader = scene.issue("reader-1").await;
    scene.self_signed("idp").await;
    let path = |name: &str| scene.path(name).to_str().expect("a path").to_owned();
    let tls = json!({"tls": {"cert": path("idp.pem"), "key": path("idp.key")}});
    let mut provider = Provider::with(place, &["executor"], tls).await;
    provider.introduce_with(place, &["--sender", "certificate"]).await;
    let (cert, key) = (path("executor-1.pem"), path("executor-1.key"));
    provider.tell(&format!("trust {cert}")).await;
    let url = place.endpoint();
    let token = provider.token_by(&format!("bound {url} mcp:connect {cert} {key}")).await;
    let bearer = format!("Authorization: Bearer {token}");
    let with = ["--header", bearer.as_str()];
    let open = crate::certificates::INITIALIZE;

    let opened = scene.curl_as("executor-1", &with, open).await;
    assert_eq!(opened.status(), "200", "{}", opened.said);
    for (who, fared) in [
        ("nobody", scene.curl(&with, open).await),
        ("another agent", scene.curl_as(&reader, &with, open).await),
    ] {
        assert_eq!(fared.status(), "401", "{who}: {}", fared.said);
        let reasons = place.reasons("authn.failed").await;
        assert_eq!(reasons.first().map(String::as_str), Some("certificate_binding"), "{who}");
    }
    let unbound = provider.token(place, "mcp:connect").await;
    let unbound = format!("Authorization: Bearer {unbound}");
    let fared = scene.curl_as("executor-1", &["--header", &unbound], open).await;
    assert_eq!(fared.status(), "401", "{}", fared.said);
    let reasons = place.reasons("authn.failed").await;
    assert_eq!(reasons.first().map(String::as_str), Some("token_not_bound"));
}

#[tokio::test(flavor = "multi_thread")]
async fn j21_what_a_dropped_key_signed_is_refused_once_another_key_is_seen() {
    let place = Place::starter().await;
    let mut provider = Provider::start(&place, &["executor"]).await;
    provider.introduce(&place).await;
    let old = provider.token(&place, "mcp:connect").await;
    assert_eq!(bearer(&place, &old).await, StatusCode::OK);
    provider.tell("drop").await;
    let new = provider.token(&place, "mcp:connect").await;
    assert_eq!(bearer(&place, &new).await, StatusCode::OK);
    let old = format!("Bearer {old}");
    refused(&place, &[("authorization", &old)], "jwt_key_unknown").await;
    assert_eq!(place.lines(&["audit", "list", "--kind", "provider.keys_changed"]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn j22_cached_keys_are_used_while_the_provider_is_down_up_to_the_limit_and_no_longer() {
    let shifted = TestClock::new();
    let place = Place::with_clock(&shifted.path()).await;
    let mut provider = Provider::start(&place, &["executor"]).await;
    provider.introduce_with(&place, &["--stale", "10m"]).await;
    provider.tell("seconds 3600").await;
    let token = provider.token(&place, "mcp:connect").await;
    let (code, answer) = read(&place, &token).await;
    assert_eq!(code, StatusCode::OK, "{answer}");
    provider.kill().await;

    shifted.ahead(400);
    place.ask(&["provider", "refresh", "corp"]).await;
    assert_eq!(read(&place, &token).await.0, StatusCode::OK, "within the limit");
    let failing = status(&place).await;
    assert_eq!(failing["standing"], "cached", "{failing}");
    assert_eq!(place.lines(&["audit", "list", "--kind", "provider.unreachable"]).await.len(), 1);
    // What a person would have to sign for is not put before anybody.
    let note = json!({"name": "write_file", "arguments": {"path": "a", "content": "b"}});
    let agent = Agent::with_token(&place.endpoint(), &token);
    let held = agent.request("tools/call", note).await.0;
    assert_eq!(held, StatusCode::SERVICE_UNAVAILABLE);

    shifted.ahead(620);
    assert_eq!(bearer(&place, &token).await, StatusCode::SERVICE_UNAVAILABLE, "past the limit");
    let reasons = place.reasons("authn.failed").await;
    assert_eq!(reasons.first().map(String::as_str), Some("provider_unreachable"));
    assert_eq!(status(&place).await["standing"], "refusing");

    provider.again().await;
    shifted.ahead(640);
    assert_eq!(bearer(&place, &token).await, StatusCode::OK, "it is back, with the key it had");
    assert_eq!(status(&place).await["standing"], "fresh");
    assert_eq!(place.lines(&["audit", "list", "--kind", "provider.recovered"]).await.len(), 1);
}

/// The clock of a gateway of its own, which can be set ahead while it runs.
struct TestClock {
    folder: tempfile::TempDir,
}

impl TestClock {
    fn new() -> Self {
        let clock = Self { folder: tempfile::TempDir::new().expect("a folder") };
        clock.ahead(0);
        clock
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("clock")
    }

    /// Sets it so many seconds ahead of this machine's.
    fn ahead(&self, seconds: u32) {
        let (new, path) = (self.folder.path().join("new"), self.path());
        std::fs::write(&new, format!("+{seconds}s\n")).expect("a file");
        std::fs::rename(new, path).expect("in its place");
    }
}

//! Tokens that a provider is asked about.

use std::time::Duration;

use super::super::idp::SECRET;
use super::super::world::Sent;
use super::*;

fn asking(field: &Field, when: &str, cache_secs: u32) -> Value {
    json!({"introspection": {
        "endpoint": format!("http://{}/introspect", field.idp.address),
        "client_id": "gateway", "secret": "idp", "when": when, "cache_secs": cache_secs,
    }})
}

impl Field {
    async fn asked_always(cache_secs: u32) -> Self {
        let field = Self::new().await;
        field.trust(asking(&field, "always", cache_secs), |_| {});
        field
    }

    fn says(&self, changes: Value) {
        let mut said = self.claims();
        said["active"] = true.into();
        merge(&mut said, changes);
        self.idp.behave().introspection = Answer::ok(said);
    }

    fn asked(&self) -> usize {
        self.idp.asked("/introspect")
    }

    fn reasons(&self) -> Vec<String> {
        self.stage.journal.reasons(EventKind::AuthnFailed)
    }
}

#[tokio::test]
async fn j18_a_provider_is_asked_as_the_standard_has_it() {
    let field = Field::asked_always(0).await;
    field.says(json!({}));
    let token = field.token();
    field.accepted(&token).await;
    field.accepted(&token).await;
    assert_eq!(field.asked(), 2, "without leave nothing is kept");
    let (head, body) =
        field.idp.behave().seen.iter().find(|(head, _)| head.contains("intro")).unwrap().clone();
    assert!(head.starts_with("POST /introspect HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    assert!(head.contains("authorization: basic "), "{head}");
    assert_eq!(body, format!("token={token}&token_type_hint=access_token"));
    assert!(!body.contains(SECRET));
}

#[tokio::test]
async fn j18_whatever_is_not_a_clear_yes_is_a_no() {
    let field = Field::asked_always(60).await;
    let token = field.token();
    let resource = field.resource();
    let answers: Vec<(u16, &str, Answer)> = vec![
        (401, "token_inactive", Answer::ok(json!({"active": false}))),
        (503, "introspection_malformed", Answer::ok("<html>active</html>")),
        (503, "introspection_malformed", Answer::ok(json!({"active": "true"}))),
        (503, "introspection_malformed", Answer::ok(json!({"active": 1}))),
        (503, "introspection_malformed", Answer::ok("{\"active\":false,\"active\":true}")),
        (503, "introspection_malformed", Answer::ok(json!({}))),
        (503, "introspection_malformed", Answer::ok("")),
        (503, "introspection_failed", Answer::status(500, json!({"active": true}))),
        (503, "introspection_failed", Answer::status(201, json!({"active": true}))),
        (
            503,
            "introspection_failed",
            Answer::status(400, json!({"error": "unsupported_token_type"})),
        ),
        (503, "introspection_failed", Answer::status(401, json!({"active": true}))),
        (503, "introspection_failed", Answer::status(302, json!({"active": true}))),
        (503, "introspection_failed", Answer::ok("x".repeat(10_000_000))),
        (401, "introspection_mismatch", Answer::ok(json!({"active": true, "sub": "other"}))),
        (401, "introspection_mismatch", Answer::ok(json!({"active": true, "iss": "https://x"}))),
        (401, "introspection_mismatch", Answer::ok(json!({"active": true, "aud": "https://x"}))),
        (401, "introspection_mismatch", Answer::ok(json!({"active": true, "aud": 7}))),
        (401, "introspection_mismatch", Answer::ok(json!({"active": true, "client_id": "x"}))),
        (401, "introspection_mismatch", Answer::ok(json!({"active": true, "exp": NOW + 1}))),
    ];
    for (status, reason, answer) in answers {
        field.stage.journal.forget();
        let shown = answer.body.chars().take(60).collect::<String>();
        field.idp.behave().introspection = answer;
        let reply = field.present(&token).await;
        assert_eq!((reply.status, field.reasons()), (status, vec![reason.to_owned()]), "{shown}");
    }
    field.idp.behave().introspection = Answer::ok(json!({"active": true}));
    field.accepted(&token).await;
    field.idp.behave().introspection = Answer::ok(
        json!({"active": true, "aud": [resource, "x"], "sub": "robin", "exp": NOW + 600}),
    );
    field.stage.journal.pass(Duration::from_secs(60));
    field.accepted(&token).await;
}

/// J18: a provider that does not answer is given two seconds, however slowly it speaks.
#[tokio::test]
async fn j18_a_provider_that_does_not_answer_in_time_is_not_waited_for() {
    let field = Field::asked_always(0).await;
    field.says(json!({}));
    field.idp.behave().introspection.delay = Duration::from_secs(30);
    let begun = tokio::time::Instant::now();
    let reply = field.present(&field.token()).await;
    assert_eq!((reply.status, field.reasons()), (503, vec!["introspection_failed".to_owned()]));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

/// J18: whoever makes up tokens has not more than so many asked about at a time.
#[tokio::test]
async fn j18_no_flood_has_a_provider_asked_about_more_than_so_many_tokens_at_a_time() {
    let field = Field::asked_always(0).await;
    field.idp.behave().introspection.delay = Duration::from_millis(1500);
    let sent = (0..100).map(|number| {
        let bytes = field.opening(&format!("opaque-{number}"));
        let address = field.stage.gateway.address();
        tokio::spawn(async move { raw(address, &bytes).await.status })
    });
    for reply in sent.collect::<Vec<_>>() {
        assert!([401, 503].contains(&reply.await.unwrap()));
    }
    assert!(field.idp.peak() <= 64, "{}", field.idp.peak());
}

#[tokio::test]
async fn j18_an_answer_is_used_again_for_as_long_as_the_settings_say() {
    let field = Field::asked_always(30).await;
    field.says(json!({}));
    let token = field.token();
    field.accepted(&token).await;
    field.idp.behave().introspection = Answer::ok(json!({"active": false}));
    field.stage.journal.pass(Duration::from_secs(29));
    field.accepted(&token).await;
    assert_eq!(field.asked(), 1);
    field.stage.journal.pass(Duration::from_secs(1));
    field.refused(&token, "token_inactive").await;
    assert!(field.asked() >= 2);
}

/// J18: for what a person has to sign for nothing that was said before counts.
#[tokio::test]
async fn j18_a_call_for_a_person_is_asked_about_anew() {
    for when in ["always", "token_tools"] {
        let field = Field::new().await;
        field.trust(asking(&field, when, 600), |_| {});
        field.says(json!({}));
        let token = field.token();
        assert_eq!(field.call(&token, "read_file").await.text(), "done", "{when}");
        assert_eq!(field.asked(), usize::from(when == "always"), "{when}");
        field.idp.behave().introspection = Answer::ok(json!({"active": false}));
        let reply = field.call(&token, "write_file").await;
        assert_eq!(reply.status, 401, "{when}: {}", reply.body);
        let reasons = field.stage.journal.reasons(EventKind::Decision);
        assert_eq!(reasons.last().unwrap(), "token_inactive");
        field.idp.behave().introspection = Answer::status(500, "");
        assert_eq!(field.call(&token, "write_file").await.status, 503, "{when}");
        // What is not allowed is not asked about.
        let asked = field.asked();
        assert_eq!(field.call(&token, "access_secrets").await.error_code(), -32602);
        assert_eq!(field.asked(), asked);
        assert!(field.stage.journal.requests_now().is_empty());
    }
}

/// J18: a token that was withdrawn while a person decided does not have its call made.
#[tokio::test]
async fn j18_a_call_that_was_approved_or_is_covered_by_then_is_asked_about_before_it_is_made() {
    for in_series in [false, true] {
        let field = Field::new().await;
        field.trust(asking(&field, "token_tools", 0), |_| {});
        field.says(json!({}));
        let (call, request) = field.waiting(&field.token()).await;
        let journal = &field.stage.journal;
        field.idp.behave().introspection = Answer::ok(json!({"active": false}));
        if in_series {
            field.sign_series(&request);
        } else {
            journal.approve(&request, 1);
        }
        let reply = call.await.unwrap();
        assert!(reply.body.contains("error"), "{}", reply.body);
        assert_eq!(journal.calls(), Vec::<Sent>::new());
        assert_eq!(journal.reasons(EventKind::Decision).last().unwrap(), "token_inactive");
        assert_eq!(journal.series_now().0, 0, "nothing was spent");
    }
}

#[tokio::test]
async fn an_opaque_token_is_what_its_provider_says() {
    let field = Field::asked_always(0).await;
    field.says(json!({}));
    let token = "canary-opaque-token-of-robin";
    field.accepted(token).await;
    assert_eq!(field.call(token, "read_file").await.text(), "done");
    let cases = [
        ("agent_claim_missing", json!({"sub": Value::Null})),
        ("jwt_subject_invalid", json!({"sub": Value::Null, "client_id": Value::Null})),
        ("introspection_malformed", json!({"sub": 7})),
        ("subject_unknown", json!({"sub": "nobody"})),
        ("introspection_mismatch", json!({"iss": "https://other.example"})),
        ("jwt_audience_wrong", json!({"aud": Value::Null})),
        ("jwt_audience_wrong", json!({"aud": "https://other.example"})),
        ("jwt_audience_several", json!({"aud": [field.resource(), "https://other.example"]})),
        ("jwt_expiry_invalid", json!({"exp": Value::Null})),
        ("jwt_expired", json!({"exp": NOW})),
        ("jwt_issued_invalid", json!({"iat": Value::Null})),
        ("jwt_issued_in_future", json!({"iat": NOW + 60})),
        ("jwt_not_yet_valid", json!({"nbf": NOW + 60})),
        ("jwt_lifetime_too_long", json!({"exp": NOW + 4000})),
        ("jwt_scope_invalid", json!({"scope": ["mcp:connect"]})),
        ("jwt_type_refused", json!({"token_type": "refresh_token"})),
        ("jwt_confirmation_invalid", json!({"cnf": {"kid": "x"}})),
        ("certificate_binding", json!({"cnf": {"x5t#S256": super::super::idp::text([1; 32])}})),
        ("jwt_task_invalid", json!({"authorization_details": "x"})),
    ];
    for (reason, changes) in cases {
        field.stage.journal.forget();
        field.says(changes);
        let reply = field.present(token).await;
        assert_eq!((reply.status, field.reasons()), (401, vec![reason.to_owned()]));
        let record = serde_json::to_string(&field.stage.journal.events()).unwrap();
        assert!(!record.contains("canary-opaque"), "{record}");
    }
    field.says(json!({"scope": "x"}));
    assert_eq!(field.present(token).await.status, 403);
    // A client that acts for itself may have no subject besides its id.
    let mapped = json!({"claims": {"agent": "client_id"}});
    let mut how = asking(&field, "always", 0);
    merge(&mut how, mapped);
    field.trust(how, |_| {});
    field.says(json!({"sub": Value::Null}));
    field.accepted(token).await;
    field.trust(asking(&field, "always", 0), |_| {});
    field.idp.behave().introspection = Answer::ok(json!({"active": false}));
    field.stage.journal.forget();
    assert_eq!(field.present(token).await.status, 401);
    assert_eq!(field.reasons(), ["token_inactive"]);
}

#[tokio::test]
async fn an_opaque_token_is_refused_where_it_is_not_clear_who_is_to_be_asked() {
    let field = Field::new().await;
    field.refused("opaque", "jwt_malformed").await;
    field.trust(asking(&field, "token_tools", 0), |_| {});
    field.refused("opaque", "jwt_malformed").await;
    let how = asking(&field, "always", 0);
    field.trust(how, |document| {
        let mut other = document.tenants[0].providers[0].clone();
        other.id = ProviderId::from_random([8; 16]);
        other.name = Name::parse("other").unwrap();
        other.settings.issuer = "https://other.example".to_owned();
        document.tenants[0].providers.push(other);
    });
    field.refused("opaque", "jwt_malformed").await;
    assert_eq!(field.asked(), 0);
}

/// A withdrawal here counts for opaque tokens as well, also while an answer is kept.
#[tokio::test]
async fn j15_an_opaque_token_can_be_withdrawn() {
    let field = Field::asked_always(600).await;
    field.says(json!({"jti": Value::Null}));
    let token = "opaque-token-of-robin";
    field.accepted(token).await;
    field.accepted(token).await;
    assert_eq!(field.asked(), 1);
    let id = format!("sha256:{}", cs_model::Digest::of(token.as_bytes()));
    field.change(|world| {
        let mut revocations = crate::world::Revocations::clone(&world.revocations);
        let what = cs_model::revocation::Revoked::Token { issuer: field.idp.issuer(), id };
        revocations.insert(tenant(ACME), what);
        world.revocations = Arc::new(revocations);
    });
    assert_eq!(field.present(token).await.status, 401);
    assert_eq!(field.reasons(), ["token_revoked"]);
}

impl Field {
    /// One whose `read_file` wants the provider to be asked.
    async fn with_asking_tool(settings: impl Fn(&Self) -> Value) -> Self {
        let field = Self::new().await;
        field.trust(settings(&field), |document| document.tenants[0].tools[0].introspect = true);
        field.says(json!({}));
        field
    }

    fn last_denial(&self) -> Option<String> {
        self.stage.journal.reasons(EventKind::Decision).pop()
    }
}

/// J18: for a tool that wants it each call is asked about, though none needs a person.
#[tokio::test]
async fn j18_a_tool_can_have_each_of_its_calls_asked_about() {
    let field = Field::with_asking_tool(|field| asking(field, "token_tools", 0)).await;
    let token = field.token();
    for calls in 1..=2 {
        assert_eq!(field.call(&token, "read_file").await.text(), "done");
        assert_eq!(field.asked(), calls);
    }
    assert_eq!(field.call(&token, "access_secrets").await.error_code(), -32602);
    assert_eq!(field.call(&token, "web_fetch").await.error_code(), -32602);
    assert_eq!(field.asked(), 2, "what is not allowed is not asked about");
    let cases = [
        (401, "token_inactive", Answer::ok(json!({"active": false}))),
        (401, "introspection_mismatch", Answer::ok(json!({"active": true, "sub": "other"}))),
        (503, "introspection_malformed", Answer::ok("<html>active</html>")),
        (503, "introspection_malformed", Answer::ok(json!({"active": "true"}))),
        (503, "introspection_failed", Answer::status(500, json!({"active": true}))),
        (503, "introspection_failed", Answer::status(302, json!({"active": true}))),
        (
            503,
            "introspection_failed",
            Answer::status(400, json!({"error": "unsupported_token_type"})),
        ),
    ];
    let made = field.stage.journal.calls().len();
    for (status, reason, answer) in cases {
        field.idp.behave().introspection = answer;
        let reply = field.call(&token, "read_file").await;
        assert_eq!((reply.status, field.last_denial().as_deref()), (status, Some(reason)));
    }
    assert_eq!(field.stage.journal.calls().len(), made, "nothing of it was made");
    // An API key is not a token: nobody could be asked about it.
    let asked = field.asked();
    assert_eq!(
        field.stage.client(WORKER).call("read_file", json!({"path": "a"})).await.text(),
        "done"
    );
    assert_eq!(field.asked(), asked);
}

/// J18: whoever cannot be asked has not said yes.
#[tokio::test]
async fn j18_a_tool_that_wants_its_provider_asked_is_refused_where_that_cannot_be() {
    let field = Field::with_asking_tool(|_| json!({})).await;
    let token = field.token();
    field.accepted(&token).await;
    let reply = field.call(&token, "read_file").await;
    assert_eq!(
        (reply.status, field.last_denial().as_deref()),
        (503, Some("introspection_impossible"))
    );
    assert!(field.stage.journal.calls().is_empty());
}

/// J18: an answer is used again for such a tool only where the settings say so, and never for what
/// a person signs for.
#[tokio::test]
async fn j18_an_answer_is_kept_for_such_a_tool_as_long_as_the_settings_say() {
    let field = Field::with_asking_tool(|field| asking(field, "token_tools", 30)).await;
    let token = field.token();
    assert_eq!(field.call(&token, "read_file").await.text(), "done");
    field.idp.behave().introspection = Answer::ok(json!({"active": false}));
    field.stage.journal.pass(Duration::from_secs(29));
    assert_eq!(field.call(&token, "read_file").await.text(), "done");
    assert_eq!(field.call(&token, "write_file").await.status, 401);
    field.stage.journal.pass(Duration::from_secs(1));
    assert_eq!(field.call(&token, "read_file").await.status, 401);
    assert_eq!(field.asked(), 3);
}

/// J18, J22: the console sees that a provider cannot be asked, and the log says so once.
#[tokio::test]
async fn j18_an_outage_is_shown_and_is_on_record_when_it_begins_and_ends() {
    let field = Field::with_asking_tool(|field| asking(field, "token_tools", 0)).await;
    let status = || {
        let status = field.stage.gateway.provider_status(tenant(ACME), provider_id());
        status.introspection.expect("it is asked")
    };
    assert_eq!(status(), crate::IntrospectionStatus::default());
    let token = field.token();
    assert_eq!(field.call(&token, "read_file").await.text(), "done");
    assert_eq!((status().asked, status().failing_since), (1, None));
    field.idp.behave().introspection = Answer::status(500, "");
    for _ in 0..2 {
        assert_eq!(field.call(&token, "read_file").await.status, 503);
    }
    let failing = status();
    assert_eq!((failing.asked, failing.failing_since), (3, Some(field.stage.journal.time())));
    assert_eq!(failing.last_error.as_deref(), Some("it answered 500"));
    field.says(json!({}));
    assert_eq!(field.call(&token, "read_file").await.text(), "done");
    assert_eq!((status().failing_since, status().last_error), (None, None));
    let events = field.stage.journal.events();
    let told = events.iter().filter(|it| {
        [EventKind::ProviderUnreachable, EventKind::ProviderRecovered].contains(&it.kind)
    });
    let told: Vec<_> = told.map(|it| it.detail.clone().unwrap()).collect();
    assert_eq!(told, ["idp: introspection: it answered 500", "idp: introspection"]);
}

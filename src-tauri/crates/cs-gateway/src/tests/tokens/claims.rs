//! What a token says: whose it is, for what, from when until when.

use cs_model::Grant;
use cs_model::document::RoleDoc;

use super::super::client::body;
use super::super::world::{role, tool};
use super::*;

#[tokio::test]
async fn j06_only_the_issuer_itself_byte_by_byte() {
    let field = Field::new().await;
    let issuer = field.idp.issuer();
    let cases = [
        ("jwt_issuer_invalid", json!([issuer, "https://evil.example"])),
        ("jwt_issuer_invalid", json!(7)),
        ("jwt_issuer_invalid", Value::Null),
        ("issuer_unknown", json!(format!("{issuer}/"))),
        ("issuer_unknown", json!(issuer.to_uppercase())),
        ("issuer_unknown", json!(issuer.replace("http:", "https:"))),
        ("issuer_unknown", json!("https://evil.example")),
    ];
    for (reason, iss) in cases {
        field.refused(&field.of(json!({ "iss": iss })), reason).await;
    }
}

/// J06, S07: a provider of one tenant is nothing to another.
#[tokio::test]
async fn j06_the_provider_of_a_tenant_opens_nothing_of_another() {
    let field = Field::new().await;
    let client = field.client().at("/t/globex/task/workbench/mcp");
    let aud = format!("http://{}{}", client.host(), client.path);
    let token = field.of(json!({ "aud": aud }));
    let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
    let bytes = client.bytes("POST", &headers, INITIALIZE.as_bytes());
    let reply = raw(field.stage.gateway.address(), &bytes).await;
    assert_eq!(reply.status, 401);
    assert_eq!(field.stage.journal.reasons(EventKind::AuthnFailed), ["issuer_unknown"]);
    assert_eq!(field.idp.asked(""), 0);
}

#[tokio::test]
async fn j07_a_token_is_for_this_endpoint_and_no_other() {
    let field = Field::new().await;
    let own = field.resource();
    let host = field.client().host();
    let cases = [
        ("jwt_audience_several", json!([own, "https://other.example"])),
        ("jwt_audience_wrong", json!("https://other.example")),
        ("jwt_audience_wrong", json!(["https://other.example"])),
        ("jwt_audience_invalid", json!([])),
        ("jwt_audience_invalid", json!(7)),
        ("jwt_audience_invalid", Value::Null),
        ("jwt_audience_wrong", json!(format!("{own}/"))),
        ("jwt_audience_wrong", json!(own.to_uppercase())),
        ("jwt_audience_wrong", json!(own.replace("http:", "https:"))),
        ("jwt_audience_wrong", json!(format!("http://{host}/t/acme/mcp"))),
        ("jwt_audience_wrong", json!(format!("http://{host}/t/globex/task/workbench/mcp"))),
        ("jwt_audience_wrong", json!(format!("http://{host}"))),
    ];
    for (reason, aud) in cases {
        field.refused(&field.of(json!({ "aud": aud })), reason).await;
    }
    field.accepted(&field.of(json!({ "aud": [own] }))).await;
}

/// J07: what was verified for one endpoint is not known at another.
#[tokio::test]
async fn j07_a_token_that_is_known_at_one_endpoint_is_refused_at_another() {
    let field = Field::new().await;
    let token = field.token();
    field.accepted(&token).await;
    field.stage.journal.forget();
    let elsewhere = field.client().at("/t/acme/task/reading/mcp");
    let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
    let bytes = elsewhere.bytes("POST", &headers, INITIALIZE.as_bytes());
    let reply = raw(field.stage.gateway.address(), &bytes).await;
    assert_eq!(reply.status, 401);
    assert_eq!(field.stage.journal.reasons(EventKind::AuthnFailed), ["jwt_audience_wrong"]);
}

#[tokio::test]
async fn j07_where_the_provider_names_its_audiences_those_are_the_ones() {
    let field = Field::with(json!({"audiences": ["api://a", "api://b"]})).await;
    for aud in ["api://a", "api://b"] {
        let token = field.of(json!({ "aud": aud }));
        field.accepted(&token).await;
        field.accepted(&token).await;
    }
    field.refused(&field.token(), "jwt_audience_wrong").await;
    field.refused(&field.of(json!({"aud": "api://c"})), "jwt_audience_wrong").await;
    let both = field.of(json!({"aud": ["api://b", "https://userinfo.example"]}));
    field.refused(&both, "jwt_audience_several").await;
    field.trust(json!({"audiences": ["api://b"], "several_audiences": true}), |_| {});
    field.accepted(&both).await;
    let first = field.of(json!({"aud": "api://a"}));
    field.refused(&first, "jwt_audience_wrong").await;
}

#[tokio::test]
async fn j08_j09_j29_a_token_is_of_this_time() {
    let field = Field::new().await;
    let max = json!(u64::MAX);
    let cases = [
        ("jwt_expired", json!({"exp": NOW})),
        ("jwt_expired", json!({"exp": NOW - 1, "iat": NOW - 10})),
        ("jwt_expiry_invalid", json!({"exp": NOW.to_string()})),
        ("jwt_expiry_invalid", json!({"exp": Value::Null})),
        ("jwt_expiry_invalid", json!({"exp": -1})),
        ("jwt_expiry_invalid", json!({"exp": 1e308})),
        ("jwt_expiry_invalid", json!({"exp": NOW as f64 + 60.5})),
        ("jwt_expiry_invalid", json!({"exp": max})),
        ("jwt_lifetime_too_long", json!({"exp": NOW + 315_360_000})),
        ("jwt_lifetime_too_long", json!({"exp": NOW + 3601})),
        ("jwt_issued_invalid", json!({"iat": Value::Null})),
        ("jwt_issued_invalid", json!({"iat": "now"})),
        ("jwt_issued_in_future", json!({"iat": NOW + 31})),
        ("jwt_not_yet_valid", json!({"nbf": NOW + 31})),
        ("jwt_not_before_invalid", json!({"nbf": "soon"})),
    ];
    for (reason, changes) in cases {
        field.refused(&field.of(changes), reason).await;
    }
    field.accepted(&field.of(json!({"nbf": NOW + 30, "iat": NOW + 30}))).await;
    field.accepted(&field.of(json!({"exp": NOW + 3600}))).await;
}

/// J08: also when it is known already, and whatever the clock does.
#[tokio::test]
async fn j08_a_known_token_ends_at_the_moment_that_it_names() {
    let field = Field::new().await;
    let token = field.of(json!({"exp": NOW + 60}));
    field.accepted(&token).await;
    field.stage.journal.pass(std::time::Duration::from_millis(59_999));
    field.accepted(&token).await;
    field.stage.journal.pass(std::time::Duration::from_millis(1));
    field.refused(&token, "jwt_expired").await;
    field.stage.journal.now.fetch_sub(50_000, std::sync::atomic::Ordering::SeqCst);
    field.refused(&token, "jwt_expired").await;
}

#[tokio::test]
async fn j10_a_subject_is_one_that_is_registered() {
    let field = Field::new().await;
    let cases = [
        ("jwt_subject_invalid", json!({"sub": ""})),
        ("jwt_subject_invalid", json!({"sub": Value::Null})),
        ("jwt_subject_invalid", json!({"sub": 7})),
        ("jwt_subject_invalid", json!({"sub": "rob\u{0}in"})),
        ("jwt_subject_invalid", json!({"sub": "r".repeat(300)})),
        ("subject_unknown", json!({"sub": "nobody"})),
        ("subject_unknown", json!({"sub": "Robin"})),
        ("subject_unknown", json!({"sub": "robin "})),
        ("jwt_client_invalid", json!({"client_id": 7})),
    ];
    for (reason, changes) in cases {
        field.refused(&field.of(changes), reason).await;
    }
    let token = field.token();
    field.accepted(&token).await;
    let holder = |state| {
        field.change(|world| {
            let mut credentials = Credentials::clone(&world.credentials);
            credentials.holder_mut(credential(SUBJECT)).unwrap().state = state;
            world.credentials = Arc::new(credentials);
        });
    };
    holder(CredentialState::Revoked);
    field.refused(&token, "credential_revoked").await;
    holder(CredentialState::Suspended);
    field.refused(&token, "credential_suspended").await;
    holder(CredentialState::Active);
    field.trust(json!({}), |it| it.tenants[0].agents.retain(|it| it.id != agent(WORKER)));
    field.refused(&token, "agent_unknown").await;
}

#[tokio::test]
async fn j10_whom_a_token_stands_for_is_said_by_the_claim_of_the_settings() {
    let field = Field::with(json!({"claims": {"agent": "ext.azp"}})).await;
    let token = field.of(json!({"sub": "0815", "ext": {"azp": "robin"}}));
    field.accepted(&token).await;
    field.refused(&field.token(), "agent_claim_missing").await;
    for azp in [json!(["robin", "other"]), json!(""), json!(7), json!({})] {
        let token = field.of(json!({"ext": {"azp": azp}}));
        field.refused(&token, "agent_claim_missing").await;
    }
}

#[tokio::test]
async fn j11_what_a_token_says_twice_it_does_not_say() {
    let field = Field::with(json!({"claims": {"roles": "mcp_role"}})).await;
    let claims = field.claims().to_string();
    let twice = |more: &str| {
        let payload = claims.replacen('{', &format!("{{{more},"), 1);
        field.key.sign(&field.header().to_string(), &payload)
    };
    for more in [
        r#""mcp_role":"reader","mcp_role":"worker""#,
        r#""mcp_role":"reader","mcp_rol\u0065":"worker""#,
        r#""x":{"a":1,"a":2}"#,
    ] {
        field.refused(&twice(more), "jwt_payload_malformed").await;
    }
    let cases = [
        ("role_claim_missing", Value::Null),
        ("role_claim_missing", json!([])),
        ("role_claim_missing", json!(7)),
        ("role_claim_missing", json!(["worker", 7])),
        ("role_unknown", json!("worker ")),
        ("role_unknown", json!("Worker")),
        ("role_unknown", json!("w\u{43e}rker")),
        ("role_unknown", json!("worker,admin")),
        ("role_unknown", json!(["worker", "admin"])),
    ];
    for (reason, roles) in cases {
        field.refused(&field.of(json!({ "mcp_role": roles })), reason).await;
    }
    field.accepted(&field.of(json!({"mcp_role": "worker"}))).await;
    field.accepted(&field.of(json!({"mcp_role": ["worker"]}))).await;
}

/// J30: a role is the agent's own and the token's; whoever takes it away takes it at once.
#[tokio::test]
async fn j30_a_role_that_the_agent_does_not_have_any_more_is_refused() {
    let settings = json!({"claims": {"roles": "mcp_role"}});
    let field = Field::with(settings.clone()).await;
    let token = field.of(json!({"mcp_role": "worker"}));
    field.accepted(&token).await;
    field.trust(settings, |it| it.tenants[0].agents[0].roles.clear());
    field.refused(&token, "role_not_assigned").await;
}

/// J30, S03: who comes with one of its agent's roles has what that one grants and no more, and goes
/// on with no session that was opened in another.
#[tokio::test]
async fn j30_s03_a_token_acts_in_its_own_roles_and_in_no_session_of_others() {
    let settings = json!({"claims": {"roles": "mcp_role"}});
    let field = Field::with(settings.clone()).await;
    field.trust(settings, |document| {
        let acme = &mut document.tenants[0];
        acme.roles.push(RoleDoc {
            id: role(1900),
            name: Name::parse("fetcher").unwrap(),
            grants: [(tool(1003), Grant::Allow)].into(),
            conditions: [].into(),
        });
        acme.tasks[0].tools.insert(tool(1003));
        // What comes with the first role shall not be had by the second.
        acme.roles[0].grants.remove(&tool(1003));
        acme.agents[0].roles.insert(role(1900));
    });
    let of = |role: &str| field.of(json!({ "mcp_role": role }));
    let (worker, fetcher) = (of("worker"), of("fetcher"));
    for _ in 0..2 {
        for (token, own, others) in
            [(&worker, "read_file", "web_fetch"), (&fetcher, "web_fetch", "read_file")]
        {
            assert_eq!(field.call(token, own).await.text(), "done", "{own}");
            assert_eq!(field.call(token, others).await.error_code(), -32602, "{others}");
        }
    }
    let both = field.of(json!({ "mcp_role": ["worker", "fetcher"] }));
    for name in ["read_file", "web_fetch"] {
        assert_eq!(field.call(&both, name).await.text(), "done", "{name}");
    }

    let opened = field.present(&worker).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let list = async |token: &str| {
        let client = field.client().header("mcp-session-id", &session);
        let text = body("tools/list", json!({}));
        let headers = [("authorization".to_owned(), format!("Bearer {token}"))];
        let bytes = client.bytes("POST", &headers, text.as_bytes());
        raw(field.stage.gateway.address(), &bytes).await
    };
    assert!(list(&worker).await.body.contains("read_file"));
    assert_eq!(list(&fetcher).await.status, 404);
    assert_eq!(list(&worker).await.status, 404, "it is over, and says nothing of why");
}

#[tokio::test]
async fn a_tenant_claim_has_to_be_the_one_of_the_settings() {
    let wanted = json!({"claims": {"tenant": {"claim": "org.id", "value": "acme"}}});
    let field = Field::with(wanted).await;
    field.accepted(&field.of(json!({"org": {"id": "acme"}}))).await;
    for org in [json!({"id": "globex"}), json!({"id": ["acme", "globex"]}), json!({}), Value::Null]
    {
        field.refused(&field.of(json!({ "org": org })), "tenant_claim_wrong").await;
    }
}

/// The task of a token is the first of the places where one is declared; all have to agree.
#[tokio::test]
async fn the_task_of_a_token_is_declared_by_it() {
    let field = Field::new().await;
    let details = |task: &str| json!([{"type": "countersign_task", "task": task}]);
    field.accepted(&field.of(json!({"authorization_details": details("workbench")}))).await;
    field.accepted(&field.of(json!({"mcp_task": "workbench"}))).await;
    let other = field.present(&field.of(json!({"mcp_task": "reading"}))).await;
    assert_eq!(other.status, 403, "the address names another task");
    let both = json!({"mcp_task": "reading", "authorization_details": details("workbench")});
    field.refused(&field.of(both), "jwt_task_invalid").await;
    let odd = json!([{"type": "countersign_task", "task": "workbench", "limit": 1}]);
    field.refused(&field.of(json!({"authorization_details": odd})), "jwt_task_invalid").await;
    // Of several tasks the address chooses one.
    field.accepted(&field.of(json!({"mcp_task": ["workbench", "reading"]}))).await;
    let several = field.of(json!({"mcp_task": ["reading", "forbidden"]}));
    assert_eq!(field.present(&several).await.status, 403);
}

#[tokio::test]
async fn a_task_claim_of_the_settings_has_to_agree_with_what_else_names_a_task() {
    let field = Field::with(json!({"claims": {"task": "ext.task"}})).await;
    field.accepted(&field.of(json!({"ext": {"task": "workbench"}}))).await;
    let other = field.of(json!({"ext": {"task": "reading"}}));
    assert_eq!(field.present(&other).await.status, 403, "the address names another task");
    let both = json!({"ext": {"task": "reading"}, "mcp_task": "workbench"});
    field.refused(&field.of(both), "jwt_task_invalid").await;
}

#[tokio::test]
async fn settings_that_change_change_what_is_accepted_at_once() {
    let field = Field::new().await;
    let token = field.token();
    field.accepted(&token).await;
    field.trust(json!({"algorithms": ["RS256"]}), |_| {});
    field.refused(&token, "jwt_algorithm_refused").await;
    field.trust(json!({"longest_secs": 599}), |_| {});
    field.refused(&token, "jwt_lifetime_too_long").await;
    field.trust(json!({}), |it| it.tenants[0].providers[0].enabled = false);
    field.refused(&token, "issuer_unknown").await;
    field.trust(json!({}), |_| {});
    field.accepted(&token).await;
}

//! What a token allows, and how old it may be for what.

use std::time::Duration;

use super::super::world::Sent;
use super::*;

const NEEDED: [&str; 2] = ["files:read", "files:write"];

/// Lets the tool at this place need scopes.
fn needing(at: usize) -> impl FnOnce(&mut Document) {
    move |document| document.tenants[0].tools[at].scopes = NEEDED.map(str::to_owned).into()
}

fn challenge(reply: &Reply) -> String {
    reply.header("www-authenticate").unwrap_or_default().to_owned()
}

#[tokio::test]
async fn j14_a_token_without_the_scope_to_connect_opens_nothing() {
    let field = Field::new().await;
    for scope in [Value::Null, json!(""), json!("MCP:connect"), json!("mcp:*"), json!("*")] {
        field.stage.journal.forget();
        let reply = field.present(&field.of(json!({ "scope": scope }))).await;
        assert_eq!(reply.status, 403, "{scope}");
        let challenge = challenge(&reply);
        assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.ends_with("scope=\"mcp:connect\""), "{challenge}");
        let reasons = field.stage.journal.reasons(EventKind::Decision);
        assert_eq!(reasons, ["scope_missing"]);
        assert_eq!(field.stage.gateway.sessions().len(), 0);
    }
    for scope in ["mcp:connect\tx", "mcp:connect  x", " mcp:connect"] {
        field.refused(&field.of(json!({ "scope": scope })), "jwt_scope_invalid").await;
    }
    field.accepted(&field.of(json!({"scope": "x mcp:connect y"}))).await;
}

/// J14: the token needs the scope, the role and the task the tool; neither replaces the other.
#[tokio::test]
async fn j14_a_tool_needs_its_scopes_and_all_that_are_missing_are_named_at_once() {
    let field = Field::new().await;
    field.trust(json!({}), needing(0));
    let cases = [
        ("mcp:connect", Some("files:read files:write")),
        ("mcp:connect files:read", Some("files:write")),
        ("files:read", Some("files:write mcp:connect")),
        ("x", Some("files:read files:write mcp:connect")),
        ("mcp:connect files:read files:write", None),
    ];
    for (scope, missing) in cases {
        field.stage.journal.forget();
        let token = field.of(json!({ "scope": scope }));
        let reply = field.call(&token, "read_file").await;
        match missing {
            None => assert_eq!(reply.text(), "done", "{}", reply.body),
            Some(missing) => {
                assert_eq!(reply.status, 403, "{scope}: {}", reply.body);
                let challenge = challenge(&reply);
                assert!(challenge.ends_with(&format!("scope=\"{missing}\"")), "{challenge}");
                assert_eq!(field.stage.journal.reasons(EventKind::Decision), ["scope_missing"]);
                assert!(field.stage.journal.calls().is_empty());
            }
        }
    }
    // What the policy does not allow is not there, whatever the scopes.
    let token = field.of(json!({"scope": "mcp:connect"}));
    for tool in ["access_secrets", "web_fetch", "no_such_tool"] {
        let reply = field.call(&token, tool).await;
        assert_eq!((reply.status, reply.error_code()), (200, -32602), "{tool}");
    }
}

/// J14: a tool that the policy forbids is never challenged, and no other access has scopes.
#[tokio::test]
async fn j14_a_forbidden_tool_with_scopes_looks_like_one_that_does_not_exist() {
    let field = Field::new().await;
    field.trust(json!({}), |document| {
        needing(0)(document);
        needing(2)(document);
    });
    for scope in ["mcp:connect", "x"] {
        let token = field.of(json!({ "scope": scope }));
        let forbidden = field.call(&token, "access_secrets").await;
        let unknown = field.call(&token, "no_such_tool").await;
        assert_eq!(forbidden.status, unknown.status);
        let body = |reply: &Reply, tool: &str| masked(reply).1.replace(tool, "T");
        assert_eq!(body(&forbidden, "access_secrets"), body(&unknown, "no_such_tool"));
        assert_eq!(challenge(&forbidden), challenge(&unknown));
    }
    let signed = field.client().call("read_file", json!({"path": "a"})).await;
    assert_eq!(signed.text(), "done", "an API key is bound by role and task");
}

#[tokio::test]
async fn a_tool_whose_scopes_a_token_lacks_stays_listed() {
    let field = Field::new().await;
    field.trust(json!({}), needing(0));
    let client = field.client().modern("tools/list");
    let body =
        super::super::client::body("tools/list", json!({"_meta": super::super::client::meta()}));
    let headers = [("authorization".to_owned(), format!("Bearer {}", field.token()))];
    let bytes = client.bytes("POST", &headers, body.as_bytes());
    let reply = raw(field.stage.gateway.address(), &bytes).await;
    let tools = reply.json()["result"]["tools"].as_array().unwrap().clone();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["read_file", "write_file"]);
}

/// A refusal that asks for a status of its own gets it, also where progress is wanted.
#[tokio::test]
async fn j14_a_call_that_wants_progress_is_challenged_all_the_same() {
    let field = Field::new().await;
    field.trust(json!({}), needing(0));
    let mut meta = super::super::client::meta();
    meta["progressToken"] = "p".into();
    let params = json!({"name": "read_file", "arguments": {}, "_meta": meta});
    let body = super::super::client::body("tools/call", params);
    let client = field.client().modern("tools/call").header("mcp-name", "read_file");
    let headers = [("authorization".to_owned(), format!("Bearer {}", field.token()))];
    let bytes = client.bytes("POST", &headers, body.as_bytes());
    let reply = raw(field.stage.gateway.address(), &bytes).await;
    assert_eq!(reply.status, 403, "{}", reply.body);
}

/// A token may be an hour old, but not for what a person has to sign for.
#[tokio::test]
async fn a_token_that_is_too_old_does_not_do_for_what_a_person_signs() {
    let field = Field::new().await;
    let token = field.of(json!({"exp": NOW + 3600}));
    field.stage.journal.pass(Duration::from_secs(901));
    assert_eq!(field.call(&token, "read_file").await.text(), "done");
    field.stage.journal.forget();
    let reply = field.call(&token, "write_file").await;
    assert_eq!(reply.status, 401);
    assert!(challenge(&reply).starts_with("Bearer error=\"invalid_token\""));
    assert_eq!(field.stage.journal.reasons(EventKind::Decision), ["token_too_old"]);
    // What is not allowed is not there, for an old token as well.
    let forbidden = field.call(&token, "access_secrets").await;
    assert_eq!((forbidden.status, forbidden.error_code()), (200, -32602));
}

#[tokio::test]
async fn a_token_that_is_young_enough_has_its_call_put_before_a_person() {
    let field = Field::new().await;
    field.stage.journal.pass(Duration::from_secs(590));
    let (call, request) = field.waiting(&field.token()).await;
    field.stage.journal.approve(&request, 1);
    assert_eq!(call.await.unwrap().text(), "done");
}

/// J14: the tool came to need scopes while the call waited. Neither what a person signs nor a
/// series that covers it takes their place.
#[tokio::test]
async fn j14_a_call_that_waited_is_made_only_with_the_scopes_that_its_tool_needs_by_then() {
    for in_series in [false, true] {
        let field = Field::new().await;
        let (call, request) = field.waiting(&field.token()).await;
        field.trust(json!({}), needing(1));
        let journal = &field.stage.journal;
        if in_series {
            field.sign_series(&request);
        } else {
            journal.approve(&request, 1);
        }
        let reply = call.await.unwrap();
        assert!(reply.body.contains("lacks a scope"), "{}", reply.body);
        assert_eq!(journal.calls(), Vec::<Sent>::new());
        assert_eq!(journal.reasons(EventKind::Decision).last().unwrap(), "scope_missing");
        assert_eq!(journal.series_now().0, 0, "nothing was spent");
    }
}

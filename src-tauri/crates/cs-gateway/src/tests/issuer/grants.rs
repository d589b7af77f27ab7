//! What a client may have.

use super::*;

#[tokio::test]
async fn j07_a_token_is_for_one_endpoint_of_this_tenant_letter_by_letter() {
    let office = Office::new().await;
    let host = office.host();
    for good in [office.resource(), office.workbench()] {
        granted(&office.asks_for(&[("resource", &good)]).await);
    }
    let port = office.stage.gateway.address().port();
    granted(
        &office.asks_for(&[("resource", &format!("http://localhost:{port}/t/acme/mcp"))]).await,
    );
    office.stage.journal.forget();
    let wrong = [
        format!("http://{host}/t/globex/mcp"),
        format!("http://{host}/t/acme/mcp/"),
        format!("http://{host}/t/ACME/mcp"),
        format!("http://{host}/t/acme/as"),
        format!("http://{host}/t/acme/mcp?x=1"),
        format!("http://{host}/t/acme/mcp#x"),
        format!("http://{host}/t/acme/task/forbidden/mcp"),
        format!("http://{host}/t/acme/task/nothing/mcp"),
        format!("http://{host}//t/acme/mcp"),
        format!("https://{host}/t/acme/mcp"),
        format!("HTTP://{host}/t/acme/mcp"),
        "http://elsewhere.example/t/acme/mcp".to_owned(),
        "/t/acme/mcp".to_owned(),
        "urn:x".to_owned(),
    ];
    for resource in &wrong {
        refused(&office.asks_for(&[("resource", resource)]).await, "invalid_target");
    }
    refused(&office.asks_for(&[]).await, "invalid_target");
    let both = [("resource", office.resource()), ("resource", office.workbench())];
    let both: Vec<_> = both.iter().map(|(name, value)| (*name, value.as_str())).collect();
    refused(&office.asks_for(&both).await, "invalid_target");
    assert!(office.events(EventKind::IssuerIssued).is_empty());
    let reasons: BTreeSet<_> =
        office.stage.journal.reasons(EventKind::IssuerRefused).into_iter().collect();
    let expected = ["resource_invalid", "resource_missing", "resource_several", "task_not_allowed"];
    assert_eq!(reasons, expected.map(str::to_owned).into());
}

fn details(tasks: &[&str]) -> String {
    let details: Vec<_> =
        tasks.iter().map(|task| json!({"type": "countersign_task", "task": task})).collect();
    Value::Array(details).to_string()
}

#[tokio::test]
async fn a_token_is_for_tasks_that_both_the_client_and_its_agent_may_declare() {
    let office = Office::new().await;
    let plain = office.resource();
    let ask = |tasks: &[&str]| {
        let (details, plain, office) = (details(tasks), plain.clone(), &office);
        async move {
            office.asks_for(&[("resource", &plain), ("authorization_details", &details)]).await
        }
    };
    let one = claims(&granted(&ask(&["reading"]).await));
    let expected = json!([{"type": "countersign_task", "task": "reading"}]);
    assert_eq!(one["authorization_details"], expected);
    granted(&ask(&["reading", "workbench"]).await);
    let none = granted(&office.asks_for(&[("resource", &plain)]).await);
    assert_eq!(claims(&none)["authorization_details"], Value::Null);
    for tasks in [&["forbidden"][..], &["nothing"], &["reading", "forbidden"]] {
        refused(&ask(tasks).await, "invalid_authorization_details");
    }
    let odd = [
        "x",
        "{}",
        "[]",
        r#"[{"type":"countersign_task"}]"#,
        r#"[{"type":"other","task":"reading"}]"#,
        r#"[{"type":"countersign_task","task":"reading","actions":["read"]}]"#,
        r#"[{"type":"countersign_task","task":"reading","task":"workbench"}]"#,
        r#"[{"type":"countersign_task","task":"reading"},{"type":"countersign_task","task":"reading"}]"#,
    ];
    for text in odd {
        let form = [("resource", plain.as_str()), ("authorization_details", text)];
        refused(&office.asks_for(&form).await, "invalid_authorization_details");
    }
    let other = details(&["reading"]);
    let form = [("resource", &office.workbench()), ("authorization_details", &other)];
    let form = form.map(|(name, value)| (name, value.as_str()));
    refused(&office.asks_for(&form).await, "invalid_authorization_details");

    office.change_client(SECRET, |it| {
        it.tasks = Some([task(ACME * 1000 + 1)].into_iter().collect::<BTreeSet<TaskId>>());
    });
    refused(&ask(&["workbench"]).await, "invalid_authorization_details");
    refused(&office.asks_for(&[("resource", &office.workbench())]).await, "invalid_target");
    granted(&ask(&["reading"]).await);
}

#[tokio::test]
async fn a_token_has_only_scopes_that_its_agents_tools_need() {
    let office = Office::new().await;
    let (plain, bench) = (office.resource(), office.workbench());
    let scope = |reply: &Reply| {
        let said: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(claims(&granted(reply))["scope"], said["scope"]);
        said["scope"].as_str().unwrap().to_owned()
    };
    // What is denied, and what no task of the agent lists, is not among them.
    let all = office.asks_for(&[("resource", &bench)]).await;
    assert_eq!(scope(&all), "files:read files:write mcp:connect");
    let reading = details(&["reading"]);
    let narrow =
        office.asks_for(&[("resource", &plain), ("authorization_details", &reading)]).await;
    assert_eq!(scope(&narrow), "files:read mcp:connect");
    let one = office.asks_for(&[("resource", &bench), ("scope", "mcp:connect")]).await;
    assert_eq!(scope(&one), "mcp:connect");
    let read = office.asks_for(&[("resource", &bench), ("scope", "files:read")]).await;
    assert_eq!(scope(&read), "files:read mcp:connect");
    for asked in ["secrets:read", "web:fetch", "admin", "files:read admin", "*", " ", "a  b"] {
        let reply = office.asks_for(&[("resource", &bench), ("scope", asked)]).await;
        refused(&reply, "invalid_scope");
    }
    let little = granted(&one);
    let call = office.call(&little, "read_file").await;
    assert_eq!(call.status, 403, "{}", call.body);
    assert!(call.header("www-authenticate").unwrap().contains("scope=\"files:read\""));
    assert_eq!(office.call(&granted(&read), "read_file").await.text(), "done");
}

#[tokio::test]
async fn j18_a_tool_that_wants_the_issuer_asked_takes_its_tokens() {
    let office = Office::new().await;
    let mut asks = policy();
    asks.tenants[0].tools[0].introspect = true;
    office.open(&asks);
    let token = office.token().await;
    assert_eq!(office.call(&token, "read_file").await.text(), "done");
}

#[tokio::test]
async fn j08_a_token_never_outlives_its_client_and_ends_when_it_says() {
    let office = Office::new().await;
    office.change_client(SECRET, |it| it.expires = Timestamp::from_millis(NOON + 90_700));
    let reply = office.asks_for(&[("resource", &office.workbench())]).await;
    let said: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(said["expires_in"], 90);
    let token = granted(&reply);
    assert_eq!(claims(&token)["exp"], NOW + 90);
    assert_eq!(office.present(&token).await.status, 200);
    office.stage.journal.pass(Duration::from_secs(90));
    office.is_over(&token, "jwt_expired").await;
    office.change_client(SECRET, |it| it.expires = Timestamp::from_millis(NOON + 90_700));
    let late = office.asks_for(&[("resource", &office.workbench())]).await;
    assert_eq!(error(&late), (401, "invalid_client".to_owned()), "not even a second is left");
}

#[tokio::test]
async fn only_a_form_with_each_parameter_once_is_read() {
    let office = Office::new().await;
    let right = basic(ID, TEXT);
    let auth = ("authorization", right.as_str());
    let body = encoded(&[("grant_type", "client_credentials"), ("resource", &office.resource())]);
    let place = "/t/acme/as/token";
    granted(&office.post(place, &[auth], &body).await);
    let charset = ("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
    granted(&office.post(place, &[auth, charset], &body).await);
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
        refused(
            &office.post(place, &[auth, ("content-type", kind)], &body).await,
            "invalid_request",
        );
    }
    let twice = format!("{body}&grant_type=client_credentials");
    refused(&office.post(place, &[auth], &twice).await, "invalid_request");
    refused(&office.post(place, &[auth], &format!("{body}&x=1&%78=2")).await, "invalid_request");
    refused(&office.post(&format!("{place}?{body}"), &[auth], &body).await, "invalid_request");
    refused(&office.post(&format!("{place}?"), &[auth], &body).await, "invalid_request");
    refused(
        &office.post(place, &[auth, ("content-encoding", "gzip")], &body).await,
        "invalid_request",
    );
    let large = format!("{body}&x={}", "y".repeat(70_000));
    let reply = office.post(place, &[auth], &large).await;
    assert_eq!(error(&reply), (413, "invalid_request".to_owned()));
    let other = encoded(&[("grant_type", "password"), ("resource", &office.resource())]);
    refused(&office.post(place, &[auth], &other).await, "unsupported_grant_type");
    let none = encoded(&[("resource", &office.resource())]);
    refused(&office.post(place, &[auth], &none).await, "invalid_request");
    let host = office.post(place, &[auth, ("origin", "https://evil.example")], &body).await;
    assert_eq!(host.status, 403);
    let unknown = format!("{body}&something=else");
    granted(&office.post(place, &[auth], &unknown).await);
}

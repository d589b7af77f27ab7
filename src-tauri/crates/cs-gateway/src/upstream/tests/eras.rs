//! Servers of the newest revision, and those that do not know it.

use super::*;

#[tokio::test]
async fn a_server_of_the_newest_revision_is_spoken_to_in_it() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&["--modern"]));
    assert_eq!(text(call(&upstreams, &transport, "echo", Some(r#"{"a":1}"#)).await), r#"{"a": 1}"#);
    let heard = text(call(&upstreams, &transport, "heard", None).await);
    let heard: Vec<serde_json::Value> = serde_json::from_str(&heard).unwrap();
    assert!(heard.iter().all(|it| it["method"] != "initialize"), "{heard:?}");
    let asked = |method: &str| heard.iter().find(|it| it["method"] == method).unwrap();
    for method in ["server/discover", "tools/list", "subscriptions/listen", "tools/call"] {
        let meta = &asked(method)["params"]["_meta"];
        assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "countersign", "{method}");
        assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], serde_json::json!({}));
    }
}

#[tokio::test]
async fn a_server_of_the_newest_revision_that_starts_slowly_is_asked_once_more() {
    let limits =
        UpstreamLimits { initialize: Duration::from_millis(1900), ..UpstreamLimits::default() };
    let (upstreams, transport) = (upstreams(limits), script(&["--modern", "--slow"]));
    assert_eq!(text(call(&upstreams, &transport, "echo", Some("{}")).await), "{}");
}

#[tokio::test]
async fn a_server_that_ends_at_a_question_it_does_not_know_is_started_again_for_one_it_does() {
    let upstreams = upstreams(UpstreamLimits::default());
    let transport = script(&["--end-on-discover"]);
    assert_eq!(text(call(&upstreams, &transport, "echo", Some("{}")).await), "{}");
    assert_eq!(upstreams.health(tenant(1), server()).restarts, 0);
}

#[tokio::test]
async fn x02_a_server_of_the_newest_revision_tells_of_changes_when_it_is_asked_to() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&["--modern"]));
    let fingerprint = pinned(&upstreams, &transport, "echo").await;
    while !text(call(&upstreams, &transport, "heard", None).await).contains("subscriptions/listen")
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    text(call(&upstreams, &transport, "change", None).await);
    let tool = ToolName::parse("echo").unwrap();
    let call = ToolCall {
        kind: cs_model::Kind::Tool,
        act: cs_policy::Act::Use,
        tool: &tool,
        fingerprint,
        arguments: None,
        wants_progress: false,
        trace: None,
        repeated: &[],
        talk: nobody(),
        inputs: None,
    };
    let refused = upstreams.call(target(&transport), call, mpsc::channel(1).0).await;
    assert!(matches!(refused, Err(UpstreamError::Drift)), "{refused:?}");
}

#[tokio::test]
async fn x10_what_a_server_of_the_newest_revision_asks_is_not_passed_on() {
    let (upstreams, transport) = (upstreams(UpstreamLimits::default()), script(&["--modern"]));
    let asks = call(&upstreams, &transport, "input", None).await;
    assert!(matches!(&asks, Err(UpstreamError::Rejected(why)) if why.contains("asks")), "{asks:?}");
    // That is within its rights: the connection stands. A request of its own is not.
    assert!(upstreams.health(tenant(1), server()).problem.is_none());
    let live = upstreams.slot(target(&transport)).ready(&transport).await.unwrap();
    let _ = call(&upstreams, &transport, "ask", None).await;
    soon(live.link().ended()).await;
    assert!(matches!(live.link().ending(), Some(flight::Ending::Rejected(_))));
}

#[tokio::test]
async fn x11_data_that_is_no_object_is_for_the_newest_revision_only() {
    let upstreams = upstreams(UpstreamLimits::default());
    assert!(call(&upstreams, &script(&["--modern"]), "number", None).await.is_ok());
    let refused = call(&upstreams, &script(&[]), "number", None).await;
    assert!(matches!(refused, Err(UpstreamError::Rejected(_))), "{refused:?}");
}

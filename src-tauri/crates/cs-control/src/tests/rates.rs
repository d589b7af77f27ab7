//! How often agents and tools may be called, as it is set and kept.

use serde_json::{Value, json};

use super::place::Place;

async fn limited(place: &Place) -> (Value, Value) {
    let tenant = place.tenant().await;
    let agent = place.agent("reader-1").await["id"].clone();
    let matrix = place.matrix().await;
    let tools = matrix["tools"].as_array().unwrap();
    let tool = tools.iter().find(|it| it["name"] == "read_file").unwrap();
    let (calls, secs) = (60, 60);
    let rate = json!({ "calls": calls, "secs": secs });
    let args = json!({ "tenant": tenant, "agent": agent, "rate": rate });
    assert_eq!(place.ask("agent_set_rate", args).await["rate"], rate);
    let rate = json!({ "calls": 1, "secs": 86_400 });
    let args = json!({ "tenant": tenant, "tool": tool["id"], "rate": rate });
    place.ask("tool_set_rate", args).await;
    (agent, tool.clone())
}

#[tokio::test]
async fn limits_are_enforced_told_of_written_down_and_lifted() {
    let place = Place::with_starter().await;
    let (agent, tool) = limited(&place).await;
    let tenant = place.tenant().await;
    {
        let world = place.control.core().unwrap().world.subscribe();
        let world = world.borrow();
        let acme = world.policy.tenant_named("acme").unwrap();
        let rate = acme.agent(agent.as_str().unwrap().parse().unwrap()).unwrap().rate.unwrap();
        assert_eq!((rate.calls(), rate.secs()), (60, 60));
        let rate = acme.tool(tool["id"].as_str().unwrap().parse().unwrap()).unwrap().rate.unwrap();
        assert_eq!((rate.calls(), rate.secs()), (1, 86_400));
    }
    let log = place.log(&["admin.changed"]).await;
    let told: Vec<_> = log.iter().take(2).map(summary).collect();
    assert_eq!(
        told,
        [
            "In tenant `acme` each agent may make at most 1 call in 86400 s of tool \
             `workbench/read_file`.",
            "In tenant `acme` agent `reader-1` may make at most 60 calls in 60 s.",
        ]
    );
    let detail = json!({ "tenant": tenant, "server": tool["server"] });
    let detail = place.ask("server_detail", detail).await;
    let shown = detail["tools"].as_array().unwrap().iter().find(|it| it["id"] == tool["id"]);
    assert_eq!(shown.unwrap()["rate"], json!({ "calls": 1, "secs": 86_400 }));

    let text = place.ask("export", json!({})).await["text"].clone();
    let elsewhere = Place::new().await;
    elsewhere.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(elsewhere.ask("export", json!({})).await["text"], text);
    assert_eq!(elsewhere.agent("reader-1").await["rate"]["calls"], 60);
    let lifted = text.as_str().unwrap().replace("calls: 60", "calls: 61");
    assert_ne!(lifted, text.as_str().unwrap());
    elsewhere.ask("apply", json!({ "text": lifted, "dry_run": false })).await;
    assert_eq!(elsewhere.agent("reader-1").await["rate"]["calls"], 61);

    let args = json!({ "tenant": tenant, "agent": agent });
    assert_eq!(place.ask("agent_set_rate", args).await["rate"], Value::Null);
    let told = place.log(&["admin.changed"]).await;
    assert_eq!(
        summary(&told[0]),
        "In tenant `acme` agent `reader-1` may call as often as it likes."
    );
}

fn summary(row: &Value) -> &str {
    row["summary"].as_str().unwrap()
}

#[tokio::test]
async fn numbers_that_are_no_limit_are_refused_and_nothing_of_another_tenant_is_found() {
    let place = Place::with_starter().await;
    let (agent, tool) = limited(&place).await;
    let (tenant, console) = (place.tenant().await, place.control.console());
    for (calls, secs) in [(0, 1), (1, 0), (100_001, 1), (1, 86_401), (-1, 1)] {
        let rate = json!({ "calls": calls, "secs": secs });
        let args = json!({ "tenant": tenant, "agent": agent, "rate": rate });
        let refused = place.refused(console, "agent_set_rate", args).await;
        assert_eq!(refused["code"], "invalid", "{calls}/{secs}: {refused}");
    }
    let other = place.ask("tenant_create", json!({ "name": "zeta" })).await["id"].clone();
    let args = json!({ "tenant": other, "agent": agent });
    assert_eq!(place.refused(console, "agent_set_rate", args).await["code"], "not_found");
    let args = json!({ "tenant": other, "tool": tool["id"] });
    assert_eq!(place.refused(console, "tool_set_rate", args).await["code"], "not_found");
}
